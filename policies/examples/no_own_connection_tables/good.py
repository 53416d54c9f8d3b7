"""What the rule no-own-connection-tables lets pass."""

import pulumi_aws as aws

aws.dynamodb.get_table(name="WizzUser_websocket_connections_dev")
aws.dynamodb.Table(
    "products",
    billing_mode="PAY_PER_REQUEST",
    hash_key="productId",
    attributes=[{"name": "productId", "type": "S"}],
)
