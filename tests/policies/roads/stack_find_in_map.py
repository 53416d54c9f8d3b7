"""A protocol that a mapping holds.

Found by: no-standalone-websocket-api
"""

import pulumi_aws as aws

TEMPLATE = """
Mappings:
  Protocols: {chat: {name: WEBSOCKET}}
Resources:
  Chat:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: chat, ProtocolType: !FindInMap [Protocols, chat, name]}
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE)
