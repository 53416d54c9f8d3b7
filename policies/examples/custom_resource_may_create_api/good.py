"""What the rule custom-resource-may-create-api lets pass."""

import pulumi_aws as aws

aws.cloudformation.Stack(
    "setup",
    template_body="""
        Resources:
          Topic:
            Type: AWS::SNS::Topic
    """,
)
