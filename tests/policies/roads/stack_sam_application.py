"""An application of the repository inside a template.

Found by: no-opaque-product
"""

import pulumi_aws as aws

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Chat:
    Type: AWS::Serverless::Application
    Properties:
      Location:
        ApplicationId: arn:aws:serverlessrepo:us-east-1:123456789012:applications/chat
        SemanticVersion: 1.0.0
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE)
