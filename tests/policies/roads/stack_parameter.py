"""A protocol that is a parameter.

Found by: no-standalone-websocket-api
"""

import pulumi_aws as aws

TEMPLATE = """
Parameters:
  Protocol: {Type: String, Default: HTTP}
Resources:
  Chat:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: chat, ProtocolType: !Ref Protocol}
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE, parameters={"Protocol": "WEBSOCKET"})
