"""What the rule endpoint-is-that-of-shared-api lets pass."""

import pulumi_aws as aws

aws.lambda_.Function(
    "orders",
    role="arn:aws:iam::123456789012:role/orders",
    runtime="python3.13",
    handler="orders.handler",
    s3_bucket="code",
    s3_key="orders.zip",
    environment={
        "variables": {
            "WEBSOCKET_ENDPOINT": "https://lwk0wf6rpl.execute-api.us-east-1.amazonaws.com/dev"
        }
    },
)
