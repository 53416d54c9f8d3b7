"""A resource inside a Terraform module.

Found by: no-websocket-api-in-terraform-module
"""

import pulumi


class Other(pulumi.CustomResource):
    """A resource of a provider whose package is not installed here."""


Other("chat:tf:aws_apigatewayv2_api", "module.this", {"protocol_type": "WEBSOCKET"})
