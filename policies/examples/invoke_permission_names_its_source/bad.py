"""What the rule invoke-permission-names-its-source stops."""

import pulumi_aws as aws

aws.lambda_.Permission(
    "orders",
    action="lambda:InvokeFunction",
    function="orders",
    principal="apigateway.amazonaws.com",
)
