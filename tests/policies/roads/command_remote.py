"""A command on another machine, with a script on its standard input.

Found by: no-websocket-api-from-command
"""

import pulumi


class Other(pulumi.CustomResource):
    """A resource of a provider whose package is not installed here."""


Other(
    "command:remote:Command",
    "chat",
    {
        "connection": {"host": "build"},
        "create": "python -",
        "stdin": "boto3.client('apigatewayv2').create_api(Name='c', ProtocolType='WEBSOCKET')",
    },
)
