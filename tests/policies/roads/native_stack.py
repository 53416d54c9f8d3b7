"""A stack of aws-native, with the template as an object.

Found by: no-standalone-websocket-api
"""

import pulumi


class Other(pulumi.CustomResource):
    """A resource of a provider whose package is not installed here."""


Other(
    "aws-native:cloudformation:Stack",
    "chat",
    {
        "templateBody": {
            "Resources": {
                "Chat": {
                    "Type": "AWS::ApiGatewayV2::Api",
                    "Properties": {"Name": "chat", "ProtocolType": "WEBSOCKET"},
                }
            }
        }
    },
)
