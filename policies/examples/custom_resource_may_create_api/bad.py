"""What the rule custom-resource-may-create-api stops."""

import pulumi_aws as aws

aws.cloudformation.Stack(
    "setup",
    template_body="""
        Resources:
          Chat:
            Type: Custom::Gateway
            Properties:
              ServiceToken: arn:aws:lambda:us-east-1:123456789012:function:setup
    """,
)
