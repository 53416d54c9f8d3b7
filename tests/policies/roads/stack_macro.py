"""A template that a macro rewrites.

Found by: no-opaque-template
"""

import pulumi_aws as aws

TEMPLATE = """
Transform: [AddChat]
Resources:
  Queue: {Type: AWS::SQS::Queue}
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE)
