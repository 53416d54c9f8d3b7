"""A CloudFormation stack in YAML.

Found by: no-standalone-websocket-api
"""

import pulumi_aws as aws

TEMPLATE = """
Resources:
  Chat:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Name: !Sub ${AWS::StackName}-chat
      ProtocolType: WEBSOCKET
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE)
