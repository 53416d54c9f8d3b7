"""A key that stands twice, of which readers take different ones.

Found by: no-opaque-template
"""

import pulumi_aws as aws

TEMPLATE = """
Resources:
  Chat:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: chat, ProtocolType: WEBSOCKET, ProtocolType: HTTP}
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE)
