"""APIs made by a loop.

Found by: no-standalone-websocket-api
"""

import pulumi_aws as aws

TEMPLATE = """
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Apis:
    - Name
    - [Chat, Orders]
    - ${Name}Api:
        Type: AWS::ApiGatewayV2::Api
        Properties: {Name: !Ref Name, ProtocolType: WEBSOCKET}
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE)
