"""A stack inside a stack.

Found by: no-opaque-template
"""

import pulumi_aws as aws

TEMPLATE = """
Resources:
  Chat:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: https://templates.example.com/chat.yaml}
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE)
