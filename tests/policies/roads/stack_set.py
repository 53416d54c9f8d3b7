"""A stack set.

Found by: no-standalone-websocket-api
"""

import pulumi_aws as aws

aws.cloudformation.StackSet(
    "chat",
    permission_model="SELF_MANAGED",
    template_body="""
        Resources:
          Chat:
            Type: AWS::ApiGatewayV2::Api
            Properties: {Name: chat, ProtocolType: WEBSOCKET}
    """,
)
