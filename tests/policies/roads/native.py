"""The aws-native provider.

Found by: no-standalone-websocket-api
"""

import pulumi


class Other(pulumi.CustomResource):
    """A resource of a provider whose package is not installed here."""


Other("aws-native:apigatewayv2:Api", "chat", {"name": "chat", "protocolType": "WEBSOCKET"})
