"""What the rule no-websocket-api-in-terraform-module lets pass."""

import pulumi


class Module(pulumi.CustomResource):
    """A resource inside a Terraform module, as the engine shows it to stack policies."""


Module("shop:tf:aws_apigatewayv2_api", "module.api", {"protocol_type": "HTTP"})
