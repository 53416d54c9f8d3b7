"""What the rule function-has-dead-letter-target lets pass."""

import pulumi_aws as aws

topic = aws.sns.Topic("orders")
failed = aws.sqs.Queue("orders-failed")
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
    dead_letter_config={"target_arn": failed.arn},
)
aws.lambda_.Permission(
    "orders",
    action="lambda:InvokeFunction",
    function=orders.name,
    principal="sns.amazonaws.com",
    source_arn=topic.arn,
)
