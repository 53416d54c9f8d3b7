"""What the rule function-has-dead-letter-target stops."""

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
topic = aws.sns.Topic("orders")
aws.lambda_.Permission(
    "orders",
    action="lambda:InvokeFunction",
    function=orders.name,
    principal="sns.amazonaws.com",
    source_arn=topic.arn,
)
