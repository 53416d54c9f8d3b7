"""Queues, a stream, a schedule and a bucket that feed Lambdas."""

import pulumi_aws as aws

ROLE = "arn:aws:iam::123456789012:role/worker"
orders = aws.dynamodb.Table(
    "orders",
    billing_mode="PAY_PER_REQUEST",
    hash_key="orderId",
    attributes=[{"name": "orderId", "type": "S"}, {"name": "businessId", "type": "S"}],
    global_secondary_indexes=[
        {"name": "BusinessIdIndex", "hash_key": "businessId", "projection_type": "ALL"}
    ],
    stream_enabled=True,
    stream_view_type="NEW_IMAGE",
)
billing = aws.dynamodb.Table(
    "billing-subscriptions",
    billing_mode="PAY_PER_REQUEST",
    hash_key="subscriptionId",
    attributes=[{"name": "subscriptionId", "type": "S"}],
)
queue = aws.sqs.Queue("jobs")
bucket = aws.s3.Bucket("uploads")
worker = aws.lambda_.Function(
    "worker",
    role=ROLE,
    runtime="python3.13",
    handler="worker.handler",
    s3_bucket="code",
    s3_key="worker.zip",
    environment={"variables": {"QUEUE_URL": queue.url, "ORDERS_ENDPOINT": "https://a.example.com"}},
)
aws.lambda_.EventSourceMapping(
    "jobs", event_source_arn=queue.arn, function_name=worker.arn, batch_size=10
)
aws.lambda_.EventSourceMapping(
    "orders",
    event_source_arn=orders.stream_arn,
    function_name=worker.arn,
    starting_position="LATEST",
)
rule = aws.cloudwatch.EventRule("daily", schedule_expression="rate(1 day)")
aws.cloudwatch.EventTarget("daily", rule=rule.name, arn=worker.arn)
aws.lambda_.Permission(
    "daily",
    action="lambda:InvokeFunction",
    function=worker.name,
    principal="events.amazonaws.com",
    source_arn=rule.arn,
)
aws.lambda_.Permission(
    "uploads",
    action="lambda:InvokeFunction",
    function=worker.name,
    principal="s3.amazonaws.com",
    source_arn=bucket.arn,
    source_account="123456789012",
)
