"""What the rule function-keeps-its-logs lets pass."""

import pulumi_aws as aws

logs = aws.cloudwatch.LogGroup("orders", name="/shop/orders", retention_in_days=30)
aws.lambda_.Function(
    "orders",
    role="arn:aws:iam::123456789012:role/orders",
    runtime="python3.13",
    handler="orders.handler",
    s3_bucket="code",
    s3_key="orders.zip",
    environment={
        "variables": {"WEBSOCKET_CONNECTIONS_TABLE": "WizzUser_websocket_connections_dev"}
    },
    logging_config={"log_format": "JSON", "log_group": logs.name},
)
