"""AWS's controllers for Kubernetes.

Found by: no-standalone-websocket-api
"""

import pulumi


class Other(pulumi.CustomResource):
    """A resource of a provider whose package is not installed here."""


Other(
    "kubernetes:apigatewayv2.services.k8s.aws/v1alpha1:API",
    "chat",
    {"spec": {"name": "chat", "protocolType": "WEBSOCKET"}},
)
