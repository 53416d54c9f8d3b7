"""The escape hatch of aws-native.

Found by: no-standalone-websocket-api
"""

import pulumi


class Other(pulumi.CustomResource):
    """A resource of a provider whose package is not installed here."""


Other(
    "aws-native:index:ExtensionResource",
    "chat",
    {"type": "AWS::ApiGatewayV2::Api", "properties": {"ProtocolType": "WEBSOCKET"}},
)
