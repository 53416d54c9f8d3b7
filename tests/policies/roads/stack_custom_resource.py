"""A custom resource in a template.

Found by: custom-resource-may-create-api
"""

import pulumi_aws as aws

TEMPLATE = """
Resources:
  Chat:
    Type: Custom::Gateway
    Properties: {ServiceToken: arn:aws:lambda:us-east-1:123456789012:function:setup}
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE)
