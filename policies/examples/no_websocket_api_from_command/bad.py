"""What the rule no-websocket-api-from-command stops."""

import pulumi


class Command(pulumi.CustomResource):
    """The command provider's resource, without a dependency on its package."""


Command(
    "command:local:Command",
    "chat",
    {"create": "aws apigatewayv2 create-api --name chat --protocol-type WEBSOCKET"},
)
