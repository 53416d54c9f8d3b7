"""What the rule invoke-permission-names-its-source lets pass."""

import pulumi_aws as aws

aws.lambda_.Permission(
    "orders",
    action="lambda:InvokeFunction",
    function="orders",
    principal="apigateway.amazonaws.com",
    source_arn="arn:aws:execute-api:us-east-1:123456789012:lwk0wf6rpl/dev/list_orders",
)
