"""A stack set inside a stack, with its template inside the template.

Found by: no-standalone-websocket-api
"""

import pulumi_aws as aws

TEMPLATE = """
Resources:
  Everywhere:
    Type: AWS::CloudFormation::StackSet
    Properties:
      StackSetName: chat
      PermissionModel: SELF_MANAGED
      TemplateBody: |
        Resources:
          Chat:
            Type: AWS::ApiGatewayV2::Api
            Properties: {Name: chat, ProtocolType: WEBSOCKET}
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE)
