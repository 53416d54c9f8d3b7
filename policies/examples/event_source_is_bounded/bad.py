"""What the rule event-source-is-bounded stops."""

import pulumi_aws as aws

orders = aws.lambda_.Function(
    "orders",
    role="arn:aws:iam::123456789012:role/orders",
    runtime="python3.13",
    handler="orders.handler",
    s3_bucket="code",
    s3_key="orders.zip",
    environment={
        "variables": {"WEBSOCKET_CONNECTIONS_TABLE": "WizzUser_websocket_connections_dev"}
    },
)
aws.lambda_.EventSourceMapping(
    "orders",
    event_source_arn="arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/2026-01-01",
    function_name=orders.arn,
    starting_position="LATEST",
)
