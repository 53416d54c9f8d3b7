"""What the rule no-opaque-template lets pass."""

import pulumi_aws as aws

aws.cloudformation.Stack(
    "queue",
    template_body="""
        Resources:
          Orders:
            Type: AWS::SQS::Queue
            Properties:
              QueueName: !Sub ${AWS::StackName}-orders
    """,
)
