"""Crossplane.

Found by: no-standalone-websocket-api
"""

import pulumi


class Other(pulumi.CustomResource):
    """A resource of a provider whose package is not installed here."""


Other(
    "kubernetes:apigatewayv2.aws.upbound.io/v1beta1:API",
    "chat",
    {"spec": {"forProvider": {"name": "chat", "protocolType": "WEBSOCKET"}}},
)
