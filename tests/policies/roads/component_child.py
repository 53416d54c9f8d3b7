"""An API inside a component.

Found by: no-standalone-websocket-api
"""

import pulumi
import pulumi_aws as aws


class Chat(pulumi.ComponentResource):
    """Hides the API one level down."""

    def __init__(self, name: str) -> None:
        super().__init__("shop:chat:Chat", name)
        aws.apigatewayv2.Api(
            name, protocol_type="WEBSOCKET", opts=pulumi.ResourceOptions(parent=self)
        )


Chat("chat")
