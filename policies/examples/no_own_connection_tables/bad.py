"""What the rule no-own-connection-tables stops."""

import pulumi_aws as aws

aws.dynamodb.Table(
    "clients",
    billing_mode="PAY_PER_REQUEST",
    hash_key="connectionId",
    attributes=[{"name": "connectionId", "type": "S"}],
)
