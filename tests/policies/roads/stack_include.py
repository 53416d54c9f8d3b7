"""A part of a template that is kept in a bucket.

Found by: no-opaque-template
"""

import pulumi_aws as aws

TEMPLATE = """
Resources:
  Fn::Transform:
    Name: AWS::Include
    Parameters: {Location: s3://templates/chat.yaml}
  Queue: {Type: AWS::SQS::Queue}
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE)
