"""A template that is computed while deploying.

Found by: no-opaque-template
"""

import pulumi_aws as aws

queue = aws.sqs.Queue("orders")
aws.cloudformation.Stack(
    "chat", template_body=queue.arn.apply("Resources: {{Chat: {{Type: {}}}}}".format)
)
