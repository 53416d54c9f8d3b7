"""An HTTP API with a Lambda, its role, its table and its permission: what most services are."""

import json

import pulumi
import pulumi_aws as aws

table = aws.dynamodb.Table(
    "products",
    billing_mode="PAY_PER_REQUEST",
    hash_key="productId",
    attributes=[{"name": "productId", "type": "S"}],
)
role = aws.iam.Role(
    "products",
    assume_role_policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                }
            ],
        }
    ),
    managed_policy_arns=[
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess",
    ],
)
aws.iam.RolePolicy(
    "products",
    role=role.name,
    policy=pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["dynamodb:*"], "Resource": table.arn},
                {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"},
                {"Effect": "Allow", "Action": ["logs:*"], "Resource": "*"},
            ],
        }
    ),
)
function = aws.lambda_.Function(
    "products",
    role=role.arn,
    runtime="python3.13",
    handler="products.handler",
    s3_bucket="code",
    s3_key="products.zip",
    environment={"variables": {"PRODUCTS_TABLE": table.name, "STAGE": pulumi.get_stack()}},
)
api = aws.apigatewayv2.Api("products", protocol_type="HTTP", target=function.arn)
integration = aws.apigatewayv2.Integration(
    "products",
    api_id=api.id,
    integration_type="AWS_PROXY",
    integration_uri=function.invoke_arn,
    payload_format_version="2.0",
)
for key in ("$default", "GET /products", "ANY /{proxy+}"):
    aws.apigatewayv2.Route(
        f"products {key}",
        api_id=api.id,
        route_key=key,
        target=integration.id.apply("integrations/{}".format),
    )
aws.apigatewayv2.Stage("products", api_id=api.id, name="$default", auto_deploy=True)
aws.apigatewayv2.Authorizer("products", api_id=api.id, authorizer_type="JWT", name="users")
aws.apigatewayv2.DomainName(
    "products",
    domain_name="products.example.com",
    domain_name_configuration={
        "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/a",
        "endpoint_type": "REGIONAL",
        "security_policy": "TLS_1_2",
    },
)
aws.apigatewayv2.ApiMapping(
    "products", api_id=api.id, domain_name="products.example.com", stage="$default"
)
aws.lambda_.Permission(
    "products",
    action="lambda:InvokeFunction",
    function=function.name,
    principal="apigateway.amazonaws.com",
    source_arn=api.execution_arn.apply("{}/*/*".format),
)
