"""What the rule no-opaque-product lets pass."""

import pulumi_aws as aws

aws.sqs.Queue("chat-history")
