"""What each rule finds and what it lets pass, one case a line: run as units, and under mutation."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.policies.conftest import UNKNOWN

API = "aws:apigatewayv2/api:Api"
ROUTE = "aws:apigatewayv2/route:Route"
STAGE = "aws:apigatewayv2/stage:Stage"
TABLE = "aws:dynamodb/table:Table"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
FUNCTION = "aws:lambda/function:Function"
SAM_FUNCTION = "AWS::Serverless::Function"
PERMISSION = "aws:lambda/permission:Permission"
SOURCE = "aws:lambda/eventSourceMapping:EventSourceMapping"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
COMMAND = "command:local:Command"
SHARED = "lwk0wf6rpl"
ACCOUNT = "us-east-1:123456789012"
CONNECTIONS = f"arn:aws:dynamodb:{ACCOUNT}:table/WizzUser_websocket_connections_dev"
EXECUTE = f"arn:aws:execute-api:{ACCOUNT}"
HOST = "execute-api.us-east-1.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A rule, a resource, and what the rule says of it: `found`, `passes` or `later`."""

    rule: str
    type: str
    props: dict[str, Any]
    says: str
    name: str = "thing"
    stage: str = "dev"
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    times: int | None = None
    """How many findings, where that matters."""
    mentions: str = ""
    """What every finding says."""

    def __str__(self) -> str:
        return f"{self.rule} {self.says} {self.type.rpartition(':')[2]} {str(self.props)[:60]}"


def found(rule: str, type_: str, props: dict[str, Any], **more: Any) -> Case:
    return Case(rule=rule, type=type_, props=props, says="found", **more)


def passes(rule: str, type_: str, props: dict[str, Any], **more: Any) -> Case:
    return Case(rule=rule, type=type_, props=props, says="passes", **more)


def later(rule: str, type_: str, props: dict[str, Any], **more: Any) -> Case:
    return Case(rule=rule, type=type_, props=props, says="later", **more)


def template(**resources: Any) -> dict[str, Any]:
    return {"templateBody": json.dumps({"Resources": resources})}


def allow(rule: str, *names: str) -> dict[str, dict[str, Any]]:
    return {rule: {"allow": list(names)}}


BAN = "no-standalone-websocket-api"
STACK = "aws:cloudformation/stack:Stack"
BAN_CASES = [
    found(BAN, API, {"protocolType": "WEBSOCKET"}, mentions='is "WEBSOCKET"'),
    found(BAN, API, {"protocolType": UNKNOWN}, mentions="is not known"),
    found(BAN, API, {"protocolType": {"a": "HTTP"}}, mentions="cannot be read"),
    found(BAN, API, {}, mentions="does not say"),
    found(BAN, API, {"body": ""}),
    passes(BAN, API, {"protocolType": "HTTP"}),
    found(BAN, "aws-native:apigatewayv2:Api", {"name": "x"}),
    passes(BAN, "aws-native:apigatewayv2:Api", {"body": {"openapi": "3.0"}}),
    passes(BAN, "aws-native:apigatewayv2:Api", {"bodyS3Location": {"bucket": "b"}}),
    passes(BAN, "aws:apigatewayv2:Api", {}),
    found(BAN, "aws:apigatewayv2:Api", {"protocolType": "WEBSOCKET"}),
    found(BAN, "aws:apigatewayv2:Api", {"name": "chat"}),
    found(BAN, STACK, template(A={"Type": "AWS::Serverless::WebSocketApi"}), times=1),
    found(BAN, "AWS:ApiGatewayV2/API:Api", {"protocolType": "WEBSOCKET"}),
]

TEMPLATE = "no-opaque-template"
URL = "https://templates.example.com/network.yaml"
CLOUD_CONTROL = "aws:cloudcontrol/resource:Resource"
CLOUD_API = {"typeName": "AWS::ApiGatewayV2::Api"}
MACRO = {"templateBody": json.dumps({"Transform": "Mine", "Resources": {}})}
OPAQUE_CASES = [
    found(TEMPLATE, STACK, {"templateUrl": URL}),
    passes(TEMPLATE, STACK, {"templateUrl": URL}, options=allow(TEMPLATE, URL)),
    found(TEMPLATE, STACK, {"templateUrl": URL + "2"}, options=allow(TEMPLATE, URL)),
    found(TEMPLATE, STACK, {"templateUrl": UNKNOWN}, options=allow(TEMPLATE, "*")),
    found(TEMPLATE, STACK, {"templateBody": UNKNOWN}),
    found(TEMPLATE, STACK, {}),
    passes(TEMPLATE, STACK, template(Q={"Type": "AWS::SQS::Queue"})),
    found(TEMPLATE, STACK, MACRO, mentions="the macro Mine"),
    passes(TEMPLATE, STACK, MACRO, options=allow(TEMPLATE, "Mine")),
    found(TEMPLATE, STACK, {"templateUrl": URL}, mentions=f"read from {URL}"),
    found(TEMPLATE, CLOUD_CONTROL, {"desiredState": "{}"}),
    found(TEMPLATE, CLOUD_CONTROL, {"typeName": "", "desiredState": "{}"}),
    found(TEMPLATE, CLOUD_CONTROL, {"typeName": UNKNOWN, "desiredState": "{}"}),
    passes(TEMPLATE, CLOUD_CONTROL, {"typeName": "AWS::SQS::Queue", "desiredState": UNKNOWN}),
    passes(BAN, CLOUD_CONTROL, {**CLOUD_API, "desiredState": '{"ProtocolType": "HTTP"}'}),
    passes(BAN, CLOUD_CONTROL, {**CLOUD_API, "desiredState": {"ProtocolType": "HTTP"}}),
    found(BAN, CLOUD_CONTROL, {**CLOUD_API, "desiredState": UNKNOWN}),
    found(BAN, CLOUD_CONTROL, {**CLOUD_API, "desiredState": 5}),
    found(BAN, CLOUD_CONTROL, {**CLOUD_API, "desiredState": "[]"}),
    found("no-opaque-product", "chat:index:Module", {}, mentions='Terraform module "chat"'),
    passes("no-opaque-product", "vpc:index:Module", {}, options=allow("no-opaque-product", "vpc")),
    found(
        "no-opaque-product",
        "aws:servicecatalog/provisionedProduct:ProvisionedProduct",
        {"productName": "chat"},
        options=allow("no-opaque-product", "vpc"),
        mentions='product "chat"',
    ),
    passes(
        "no-opaque-product",
        "aws:servicecatalog/provisionedProduct:ProvisionedProduct",
        {"productId": "prod-1"},
        options=allow("no-opaque-product", "prod-*"),
    ),
    found(
        "no-opaque-product",
        "aws:serverlessrepository/cloudFormationStack:CloudFormationStack",
        {"applicationId": UNKNOWN},
        options=allow("no-opaque-product", "*"),
        mentions="not known yet",
    ),
    passes(
        "no-opaque-product",
        "aws:serverlessrepository/cloudFormationStack:CloudFormationStack",
        {"applicationId": "arn:app/a"},
        options=allow("no-opaque-product", "arn:app/*"),
    ),
    found("no-dynamic-provider", "pulumi-python:dynamic:Resource", {}),
    passes(
        "no-dynamic-provider",
        "pulumi-python:dynamic/seed:Rows",
        {},
        options=allow("no-dynamic-provider", "pulumi-python:dynamic/seed:Rows"),
    ),
]

FROM_COMMAND = "no-websocket-api-from-command"
DEPLOYS = "command-deploys-infrastructure"
CREATE = "aws apigatewayv2 create-api --name c --protocol-type "
COMMAND_CASES = [
    found(FROM_COMMAND, COMMAND, {"create": CREATE + "WEBSOCKET"}, times=1),
    found(FROM_COMMAND, COMMAND, {"update": "aws apigatewayv2 create-api --cli-input-json f"}),
    found(FROM_COMMAND, COMMAND, {"create": "ok", "environment": {"C": CREATE + "WEBSOCKET"}}),
    found(FROM_COMMAND, COMMAND, {"create": CREATE + "HTTP; " + CREATE + "WEBSOCKET"}),
    passes(FROM_COMMAND, COMMAND, {"create": CREATE + "HTTP"}),
    passes(FROM_COMMAND, COMMAND, {"create": "echo WEBSOCKET"}),
    passes(FROM_COMMAND, COMMAND, {"create": UNKNOWN}),
    found(DEPLOYS, COMMAND, {"create": "sam deploy"}, times=1),
    found(DEPLOYS, COMMAND, {"create": "sam deploy", "update": "cdk deploy"}, times=1),
    found(DEPLOYS, COMMAND, {"create": UNKNOWN}, times=1),
    found(DEPLOYS, COMMAND, {"environment": {"A": UNKNOWN}}, times=1),
    passes(DEPLOYS, COMMAND, {"create": "npm run build", "environment": {"A": "b"}}),
]

CUSTOM = "custom-resource-may-create-api"
EMULATOR = "aws-native:cloudformation:CustomResourceEmulator"
REALTIME = "realtime-channel-beside-platform"
IOT = "aws:iot/domainConfiguration:DomainConfiguration"
GRAPHQL = "aws:appsync/graphQLApi:GraphQLApi"
OTHER_CASES = [
    found(CUSTOM, EMULATOR, {"resourceType": "Custom::Gateway"}),
    found(CUSTOM, EMULATOR, {"resourceType": UNKNOWN}),
    passes(
        CUSTOM,
        EMULATOR,
        {"resourceType": "Custom::Rows"},
        options=allow(CUSTOM, "Custom::Rows"),
    ),
    found(CUSTOM, STACK, template(A={"Type": "Acme::Gateway::Chat"})),
    found(REALTIME, "aws:appsync/api:Api", {"name": "live"}),
    found(REALTIME, IOT, {"serviceType": "DATA"}),
    found(REALTIME, IOT, {}),
    found(REALTIME, IOT, {"serviceType": UNKNOWN}),
    passes(REALTIME, IOT, {"serviceType": "JOBS"}),
    found(REALTIME, GRAPHQL, {"schema": "type Subscription { a: Int }"}),
    passes(REALTIME, GRAPHQL, {"schema": "type Query { a: Int }"}),
    passes(REALTIME, GRAPHQL, {"schema": UNKNOWN}),
    passes(REALTIME, GRAPHQL, {}),
]

OWNER = "shared-api-has-one-owner"
OWNER_CASES = [
    found(OWNER, STAGE, {"apiId": SHARED}),
    found(OWNER, "aws:apigatewayv2/deployment:Deployment", {"apiId": SHARED}),
    found(OWNER, "aws:apigatewayv2/apiMapping:ApiMapping", {"apiId": SHARED}),
    found(OWNER, "aws:apigatewayv2/authorizer:Authorizer", {"apiId": SHARED}),
    found(OWNER, "aws-native:apigatewayv2:ApiGatewayManagedOverrides", {"apiId": SHARED}),
    passes(OWNER, STAGE, {"apiId": UNKNOWN}),
    passes(OWNER, STAGE, {"apiId": "abcdefghij"}),
    passes(OWNER, STAGE, {}),
    found(OWNER, API, {"name": "WizzUser-WebSocket-dev", "protocolType": "HTTP"}),
    found(OWNER, API, {"name": "wizzuser-websocket-dev", "protocolType": "HTTP"}),
    passes(OWNER, API, {"name": "orders", "protocolType": "HTTP"}),
    passes(OWNER, API, {"name": UNKNOWN, "protocolType": "HTTP"}),
    passes(OWNER, API, {"protocolType": "HTTP"}),
    found(
        OWNER,
        STAGE,
        {"apiId": "abcdefghij"},
        options={"pack-is-in-order": {"sharedApis": {"prod": {"ids": ["abcdefghij"]}}}},
    ),
]

PLATFORM_ROUTE = "no-platform-route"
ROUTE_CASES = [
    found(PLATFORM_ROUTE, ROUTE, {"apiId": SHARED, "routeKey": "$connect"}),
    found(PLATFORM_ROUTE, ROUTE, {"apiId": UNKNOWN, "routeKey": "$disconnect"}),
    found(PLATFORM_ROUTE, ROUTE, {"apiId": SHARED, "routeKey": "$default"}),
    passes(PLATFORM_ROUTE, ROUTE, {"apiId": UNKNOWN, "routeKey": "$default"}),
    passes(PLATFORM_ROUTE, ROUTE, {"apiId": "abcdefghij", "routeKey": "$default"}),
    found(
        PLATFORM_ROUTE,
        ROUTE,
        {
            "apiId": "abcdefghij",
            "routeKey": "$default",
            "routeResponseSelectionExpression": "$default",
        },
    ),
    found(PLATFORM_ROUTE, ROUTE, {"apiId": SHARED, "routeKey": "heartbeat"}),
    passes(PLATFORM_ROUTE, ROUTE, {"apiId": SHARED, "routeKey": "heartbeat"}, stage="sandbox"),
    found(PLATFORM_ROUTE, ROUTE, {"apiId": SHARED, "routeKey": "heartbeat"}, stage="prod"),
    passes(PLATFORM_ROUTE, ROUTE, {"apiId": SHARED, "routeKey": "PING"}),
    passes(PLATFORM_ROUTE, ROUTE, {"apiId": UNKNOWN, "routeKey": "GET /orders"}),
    found(PLATFORM_ROUTE, ROUTE, {"apiId": SHARED, "routeKey": UNKNOWN}, times=1),
    later(PLATFORM_ROUTE, ROUTE, {"apiId": UNKNOWN, "routeKey": UNKNOWN}),
    found(PLATFORM_ROUTE, ROUTE, {"apiId": SHARED}),
    passes(PLATFORM_ROUTE, ROUTE, {"apiId": UNKNOWN}),
]

OWN_TABLE = "no-own-connection-tables"
TABLE_CASES = [
    found(OWN_TABLE, TABLE, {"name": "WizzUser_websocket_connections_dev", "hashKey": "id"}),
    found(OWN_TABLE, TABLE, {"name": "wizzuser_websocket_subscriptions_x", "hashKey": "id"}),
    found(
        OWN_TABLE,
        TABLE,
        {"name": "order-receiver-websocket-connections-dev", "hashKey": "PK"},
        times=1,
    ),
    found(OWN_TABLE, TABLE, {"hashKey": "id"}, name="websocketConnections"),
    passes(OWN_TABLE, TABLE, {"hashKey": "id", "name": "a"}, name="websocketConnections"),
    found(OWN_TABLE, TABLE, {"name": "clients", "hashKey": "connectionId"}, times=1),
    found(OWN_TABLE, TABLE, {"name": UNKNOWN, "hash_key": "connection_id"}),
    found(
        OWN_TABLE,
        "aws-native:dynamodb:Table",
        {"keySchema": [{"attributeName": "connectionId", "keyType": "HASH"}]},
    ),
    passes(
        OWN_TABLE,
        "aws-native:dynamodb:Table",
        {
            "keySchema": [
                {"attributeName": "orderId", "keyType": "HASH"},
                {"attributeName": "connectionId", "keyType": "RANGE"},
            ]
        },
    ),
    passes(
        OWN_TABLE,
        "aws-native:dynamodb:Table",
        {
            "keySchema": [
                {"attributeName": "connectionId", "keyType": "RANGE"},
                {"attributeName": "orderId", "keyType": "HASH"},
            ]
        },
    ),
    later(OWN_TABLE, "aws-native:dynamodb:Table", {"keySchema": UNKNOWN}),
    later(OWN_TABLE, TABLE, {"hashKey": UNKNOWN}),
    found(
        OWN_TABLE,
        TABLE,
        {"hashKey": "id", "globalSecondaryIndexes": [{"name": "topic-createdAt-index"}]},
    ),
    passes(
        OWN_TABLE,
        TABLE,
        {"hashKey": "id", "globalSecondaryIndexes": [{"name": "email-index"}, {"name": UNKNOWN}]},
    ),
    found(
        OWN_TABLE,
        "aws-native:dynamodb:Table",
        {"globalSecondaryIndexes": [{"indexName": "userId-topic-index"}]},
    ),
    passes(OWN_TABLE, TABLE, {"name": "orders", "hashKey": "orderId"}),
    passes(OWN_TABLE, TABLE, {"name": "billing-subscriptions", "hashKey": "subscriptionId"}),
    found(
        OWN_TABLE,
        STACK,
        template(WebSocketConnections={"Type": "AWS::DynamoDB::Table", "Properties": {}}),
    ),
]

LEAST = "iam-stays-within-shared-platform"


def statement(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"policy": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})}


POSTS = "execute-api:ManageConnections"
MINE = f"{EXECUTE}:{SHARED}/dev/POST/@connections/*"
OTHER_TABLE = f"arn:aws:dynamodb:{ACCOUNT}:table/Orders"
IAM_CASES = [
    found(LEAST, ROLE_POLICY, policy(statement("*", "*")), times=1),
    found(LEAST, ROLE_POLICY, policy(statement("dynamodb:*", CONNECTIONS))),
    found(LEAST, ROLE_POLICY, policy(statement("dynamodb:DeleteTable", CONNECTIONS))),
    found(LEAST, ROLE_POLICY, policy(statement("dynamodb:GetItem", "*"))),
    found(
        LEAST,
        ROLE_POLICY,
        policy(statement("dynamodb:GetItem", f"arn:aws:dynamodb:{ACCOUNT}:table/Wizz*")),
    ),
    found(LEAST, ROLE_POLICY, policy(statement("dynamodb:GetItem", f"{CONNECTIONS}/*"))),
    found(LEAST, ROLE_POLICY, policy(statement("dynamodb:GetRecords", f"{CONNECTIONS}/stream/1"))),
    found(
        LEAST,
        ROLE_POLICY,
        policy(statement("dynamodb:GetItem", f"{CONNECTIONS}/stream/1")),
    ),
    passes(LEAST, ROLE_POLICY, policy(statement("dynamodb:GetItem", CONNECTIONS))),
    passes(LEAST, ROLE_POLICY, policy(statement("dynamodb:Query", f"{CONNECTIONS}/index/*"))),
    found(LEAST, ROLE_POLICY, policy(statement("dynamodb:Query", f"{CONNECTIONS}/index/a/b"))),
    passes(LEAST, ROLE_POLICY, policy(statement("dynamodb:*", OTHER_TABLE))),
    passes(LEAST, ROLE_POLICY, policy(statement("dynamodb:ListTables", "*"))),
    passes(LEAST, ROLE_POLICY, policy(statement("s3:*", "*"))),
    passes(LEAST, ROLE_POLICY, policy(statement("*", "arn:aws:s3:::icons/*"))),
    passes(LEAST, ROLE_POLICY, policy({**statement("*", "*"), "Effect": "Deny"})),
    found(LEAST, ROLE_POLICY, policy({**statement("*", "*"), "Effect": UNKNOWN})),
    found(LEAST, ROLE_POLICY, policy({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"})),
    found(
        LEAST,
        ROLE_POLICY,
        policy({"Effect": "Allow", "Action": "dynamodb:GetItem", "NotResource": OTHER_TABLE}),
    ),
    found(LEAST, ROLE_POLICY, policy(statement({"a": 1}, "*"))),
    passes(LEAST, ROLE_POLICY, policy(statement("dynamodb:GetItem", UNKNOWN))),
    found(
        LEAST,
        ROLE_POLICY,
        policy(statement("dynamodb:GetItem", f"arn:aws:dynamodb:{ACCOUNT}:table/${{x}}")),
    ),
    later(LEAST, ROLE_POLICY, {"policy": UNKNOWN}),
    found(LEAST, ROLE_POLICY, {"policy": "{"}),
    found(LEAST, ROLE_POLICY, {"policy": "[]"}),
    found(LEAST, ROLE_POLICY, {"policy": 5}),
    found(LEAST, ROLE_POLICY, {"policy": json.dumps({"Statement": ["x"]})}),
    passes(LEAST, ROLE_POLICY, {"policy": json.dumps({"Statement": []})}),
    found(
        LEAST, "aws-native:iam:RolePolicy", {"policyDocument": {"Statement": statement("*", "*")}}
    ),
    passes(LEAST, ROLE_POLICY, policy(statement(POSTS, MINE))),
    passes(LEAST, ROLE_POLICY, policy(statement("Execute-API:manageconnections", MINE))),
    found(LEAST, ROLE_POLICY, policy(statement(POSTS, "*")), times=1),
    found(LEAST, ROLE_POLICY, policy(statement(POSTS, f"{EXECUTE}:{SHARED}/*"))),
    found(LEAST, ROLE_POLICY, policy(statement(POSTS, f"{EXECUTE}:*/dev/POST/@connections/*"))),
    found(
        LEAST, ROLE_POLICY, policy(statement(POSTS, f"{EXECUTE}:{SHARED}/*/POST/@connections/*"))
    ),
    found(LEAST, ROLE_POLICY, policy(statement(POSTS, f"{EXECUTE}:{SHARED}/dev/*/@connections/*"))),
    found(LEAST, ROLE_POLICY, policy(statement(POSTS, f"{EXECUTE}:{SHARED}/dev/POST/orders/*"))),
    found(LEAST, ROLE_POLICY, policy(statement("execute-api:*", MINE))),
    found(
        LEAST,
        ROLE_POLICY,
        policy(statement(POSTS, f"{EXECUTE}:other12345/dev/POST/@connections/*")),
    ),
    passes(
        LEAST,
        ROLE_POLICY,
        policy(statement(POSTS, f"{EXECUTE}:other12345/dev/POST/@connections/*")),
        stage="sandbox",
    ),
    passes(LEAST, ROLE_POLICY, policy(statement("execute-api:Invoke", f"{EXECUTE}:other12345/*"))),
    passes(LEAST, ROLE_POLICY, policy(statement("execute-api:Invoke", "arn:aws:s3:::x"))),
    found(LEAST, ROLE_POLICY, policy(statement("apigateway:POST", "*"))),
    found(LEAST, ROLE_POLICY, policy(statement("apigateway:*", "arn:aws:apigateway:*::/apis"))),
    found(
        LEAST,
        ROLE_POLICY,
        policy(statement("apigateway:DELETE", f"arn:aws:apigateway:us-east-1::/apis/{SHARED}")),
    ),
    passes(LEAST, ROLE_POLICY, policy(statement("apigateway:GET", "*"))),
    passes(
        LEAST,
        ROLE_POLICY,
        policy(statement("apigateway:PATCH", "arn:aws:apigateway:us-east-1::/restapis/a")),
    ),
    found(LEAST, ATTACHMENT, {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    passes(
        LEAST,
        ATTACHMENT,
        {"policyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"},
    ),
    passes(LEAST, ATTACHMENT, {"policyArn": UNKNOWN}),
    passes(LEAST, ATTACHMENT, {"policyArn": "arn:aws:iam::1:policy/mine", "policy": "{"}),
    found(LEAST, ROLE, {"managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"]}),
    found(
        LEAST,
        ROLE,
        {"inlinePolicies": [{"name": "a", **policy(statement("*", "*"))}]},
        mentions="it allows *",
    ),
    found(
        LEAST,
        ROLE,
        {"inlinePolicies": [policy(statement("s3:*", "*")), policy(statement("*", "*"))]},
    ),
    passes(LEAST, ROLE, {"assumeRolePolicy": json.dumps({"Statement": statement("*", "*")})}),
    passes(LEAST, ROLE, {"policy": "{"}),
    found(
        LEAST,
        "AWS::IAM::Role",
        {"Policies": [{"PolicyDocument": {"Statement": [statement("*", "*")]}}]},
    ),
    found(LEAST, SAM_FUNCTION, {"Policies": {"Statement": [statement("*", "*")]}}),
    found(
        LEAST,
        SAM_FUNCTION,
        {"Policies": ["AWSLambdaExecute", {"Statement": statement("dynamodb:*", "*")}]},
        mentions="it allows dynamodb:*",
        times=1,
    ),
    found(LEAST, SAM_FUNCTION, {"Policies": "AdministratorAccess"}, mentions="AdministratorAccess"),
    found(LEAST, SAM_FUNCTION, {"Policies": ["arn:aws:iam::aws:policy/PowerUserAccess"]}),
    passes(LEAST, SAM_FUNCTION, {"Policies": [{"DynamoDBCrudPolicy": {"TableName": "Orders"}}]}),
    passes(LEAST, SAM_FUNCTION, {"Policies": [UNKNOWN, {"Statement": statement("s3:*", "*")}]}),
    passes(LEAST, SAM_FUNCTION, {}),
    passes(LEAST, FUNCTION, {"policy": "{"}),
]

INVOKE = "invoke-permission-names-its-source"
GATEWAY = "apigateway.amazonaws.com"
INVOKE_CASES = [
    found(INVOKE, PERMISSION, {"principal": GATEWAY}, times=1),
    found(INVOKE, PERMISSION, {"principal": "*"}),
    found(INVOKE, PERMISSION, {}),
    found(INVOKE, PERMISSION, {"principal": GATEWAY, "sourceArn": "*"}),
    found(INVOKE, PERMISSION, {"principal": GATEWAY, "sourceAccount": "123456789012"}),
    passes(INVOKE, PERMISSION, {"principal": "s3.amazonaws.com", "sourceAccount": "123456789012"}),
    found(INVOKE, PERMISSION, {"principal": "s3.amazonaws.com"}),
    passes(INVOKE, PERMISSION, {"principal": GATEWAY, "sourceArn": UNKNOWN}),
    passes(INVOKE, PERMISSION, {"principal": GATEWAY, "sourceArn": f"{EXECUTE}:{SHARED}/dev/PING"}),
    passes(INVOKE, PERMISSION, {"principal": GATEWAY, "sourceArn": f"{EXECUTE}:{SHARED}/*/PING"}),
    found(INVOKE, PERMISSION, {"principal": GATEWAY, "sourceArn": f"{EXECUTE}:{SHARED}/*/*"}),
    found(INVOKE, PERMISSION, {"principal": GATEWAY, "sourceArn": f"{EXECUTE}:{SHARED}/*"}),
    found(INVOKE, PERMISSION, {"principal": GATEWAY, "sourceArn": f"{EXECUTE}:*/dev/PING"}),
    found(INVOKE, PERMISSION, {"principal": GATEWAY, "sourceArn": "anything"}),
    passes(INVOKE, PERMISSION, {"principal": GATEWAY, "sourceArn": f"{EXECUTE}:own1234567/*/*"}),
    passes(INVOKE, PERMISSION, {"principal": "events.amazonaws.com", "sourceArn": "arn:*"}),
    passes(INVOKE, PERMISSION, {"principal": "123456789012"}),
    later(INVOKE, PERMISSION, {"principal": UNKNOWN}),
    passes(INVOKE, PERMISSION, {"principal": UNKNOWN, "sourceArn": "arn:aws:events:x"}),
]


def environment(**variables: Any) -> dict[str, Any]:
    return {"environment": {"variables": variables}}


ENDPOINT = "endpoint-is-that-of-shared-api"
ENDPOINT_CASES = [
    passes(ENDPOINT, FUNCTION, environment(WEBSOCKET_ENDPOINT=f"https://{SHARED}.{HOST}/dev")),
    found(
        ENDPOINT, FUNCTION, environment(WEBSOCKET_ENDPOINT=f"wss://{SHARED}.{HOST}/dev"), times=1
    ),
    found(ENDPOINT, FUNCTION, environment(WEBSOCKET_ENDPOINT=f"https://{SHARED}.{HOST}"), times=1),
    found(ENDPOINT, FUNCTION, environment(WEBSOCKET_ENDPOINT=f"https://{SHARED}.{HOST}/")),
    found(
        ENDPOINT,
        FUNCTION,
        environment(WEBSOCKET_ENDPOINT=f"https://pyc140yn0h.{HOST}/dev"),
        times=1,
    ),
    found(ENDPOINT, FUNCTION, environment(WEBSOCKET_ENDPOINT=f"http://{SHARED}.{HOST}/dev")),
    found(ENDPOINT, FUNCTION, environment(WEBSOCKET_ENDPOINT=f"{SHARED}.{HOST}/dev")),
    found(ENDPOINT, FUNCTION, environment(CHAT_URL=f"wss://pyc140yn0h.{HOST}/dev")),
    passes(ENDPOINT, FUNCTION, environment(CHAT_URL=f"wss://{SHARED}.{HOST}/dev")),
    passes(ENDPOINT, FUNCTION, environment(CATALOGUE_URL=f"https://own1234567.{HOST}")),
    passes(ENDPOINT, FUNCTION, environment(GREETING="hello")),
    passes(ENDPOINT, FUNCTION, environment(WEBSOCKET_ENDPOINT="https://ws.example.com")),
    later(ENDPOINT, FUNCTION, environment(WEBSOCKET_ENDPOINT=UNKNOWN)),
    passes(ENDPOINT, FUNCTION, environment(TABLE=UNKNOWN)),
    passes(
        ENDPOINT,
        FUNCTION,
        environment(WEBSOCKET_ENDPOINT="http://127.0.0.1:4566/_aws/execute-api/abc/sandbox"),
        stage="sandbox",
    ),
    found(
        ENDPOINT,
        FUNCTION,
        environment(WEBSOCKET_ENDPOINT="http://127.0.0.1:4566/_aws/execute-api/abc"),
        stage="sandbox",
    ),
    found(
        ENDPOINT,
        FUNCTION,
        environment(
            WEBSOCKET_ENDPOINT="http://127.0.0.1:1/_aws/execute-api/abc/sandbox",
            SHARED_WEBSOCKET_API_ID="def",
        ),
        stage="sandbox",
        times=1,
    ),
    found(ENDPOINT, FUNCTION, environment(SHARED_WEBSOCKET_API_ID="pyc140yn0h")),
    passes(ENDPOINT, FUNCTION, environment(SHARED_WEBSOCKET_API_ID=SHARED)),
    passes(ENDPOINT, FUNCTION, environment(SHARED_WEBSOCKET_API_ID="x"), stage="sandbox"),
    passes(ENDPOINT, FUNCTION, {}),
    passes(ENDPOINT, FUNCTION, {"environment": UNKNOWN}),
]

IDENTITY = "identity-is-proved"
IDENTITY_CASES = [
    found(IDENTITY, FUNCTION, environment(IDENTITY_MODE="connection"), times=1),
    found(IDENTITY, FUNCTION, environment(IDENTITY_MODE="Connection")),
    passes(IDENTITY, FUNCTION, environment(IDENTITY_MODE="token")),
    passes(IDENTITY, FUNCTION, environment(IDENTITY_MODE=UNKNOWN)),
    passes(IDENTITY, FUNCTION, {}),
]

CASES = [
    *BAN_CASES,
    *OPAQUE_CASES,
    *COMMAND_CASES,
    *OTHER_CASES,
    *OWNER_CASES,
    *ROUTE_CASES,
    *TABLE_CASES,
    *IAM_CASES,
    *INVOKE_CASES,
    *ENDPOINT_CASES,
    *IDENTITY_CASES,
]
