"""An API that exists already and is taken into the stack.

Found by: no-standalone-websocket-api
"""

import pulumi
import pulumi_aws as aws

aws.apigatewayv2.Api(
    "chat", protocol_type="WEBSOCKET", opts=pulumi.ResourceOptions(import_="pyc140yn0h")
)
