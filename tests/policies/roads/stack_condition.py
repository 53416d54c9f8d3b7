"""A protocol that a condition chooses.

Found by: no-standalone-websocket-api
"""

import pulumi_aws as aws

TEMPLATE = """
Parameters:
  Kind: {Type: String}
Conditions:
  IsChat: !Equals [!Ref Kind, chat]
Resources:
  Chat:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: chat, ProtocolType: !If [IsChat, WEBSOCKET, HTTP]}
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE, parameters={"Kind": "chat"})
