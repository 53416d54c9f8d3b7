"""A command on this machine.

Found by: no-websocket-api-from-command
"""

import pulumi


class Other(pulumi.CustomResource):
    """A resource of a provider whose package is not installed here."""


Other(
    "command:local:Command",
    "chat",
    {"create": "aws apigatewayv2 \\\n  create-api --name chat --protocol-type WEBSOCKET"},
)
