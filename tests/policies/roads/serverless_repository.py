"""The serverless application repository.

Found by: no-opaque-product
"""

import pulumi_aws as aws

aws.serverlessrepository.CloudFormationStack(
    "chat",
    application_id="arn:aws:serverlessrepo:us-east-1:123456789012:applications/chat",
    capabilities=["CAPABILITY_IAM"],
)
