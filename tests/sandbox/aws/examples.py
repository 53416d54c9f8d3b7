"""An example of every type, with nearly every property that the table has, and a change of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.sandbox.aws.driver import Driver, Resource, archive, asset

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
ALLOW = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}],
    }
)
CODE = archive(assets={"main.py": asset(text="def handler(e, c): return 1\n")})
OTHER_CODE = archive(assets={"main.py": asset(text="def handler(e, c): return 2\n")})
TAGS = {"owner": "merchants", "cost": "1"}
OTHER_TAGS = {"owner": "platform", "kept": "yes"}


@dataclass
class Example:
    """Inputs that make a resource, and the ones of them that a later deployment changes."""

    inputs: dict[str, Any]
    changed: dict[str, Any] = field(default_factory=dict)
    import_id: Callable[[Resource], str] = lambda resource: resource.id
    not_imported: frozenset[str] = frozenset()
    """Inputs that nothing in the cloud tells."""


Make = Callable[[Driver, Callable[[str], str]], Example]


def _role(driver: Driver, name: Callable[[str], str]) -> Resource:
    return driver.create("aws:iam/role:Role", name("role"), assumeRolePolicy=TRUST)


def _function(driver: Driver, name: Callable[[str], str]) -> Resource:
    return driver.create(
        "aws:lambda/function:Function",
        name("function"),
        role=_role(driver, name).outputs["arn"],
        code=CODE,
        handler="main.handler",
        runtime="python3.11",
    )


def _queue(driver: Driver, name: Callable[[str], str]) -> Resource:
    return driver.create("aws:sqs/queue:Queue", name("queue"))


def _api(driver: Driver, name: Callable[[str], str]) -> Resource:
    return driver.create(
        "aws:apigatewayv2/api:Api",
        name("api"),
        protocolType="WEBSOCKET",
        routeSelectionExpression="$request.body.action",
    )


def _route(driver: Driver, name: Callable[[str], str], api: Resource) -> Resource:
    del name
    return driver.create("aws:apigatewayv2/route:Route", "route", apiId=api.id, routeKey="PING")


def _integration(driver: Driver, api: Resource) -> Resource:
    return driver.create(
        "aws:apigatewayv2/integration:Integration",
        "integration",
        apiId=api.id,
        integrationType="MOCK",
    )


def _below_api(resource: Resource) -> str:
    return f"{resource.inputs['apiId']}/{resource.id}"


def api(driver: Driver, name: Callable[[str], str]) -> Example:
    return Example(
        inputs={
            "name": name("api"),
            "protocolType": "HTTP",
            "description": "one",
            "version": "1",
            "corsConfiguration": {
                "allowOrigins": ["https://a.example", "https://b.example"],
                "allowMethods": ["GET"],
                "maxAge": 60,
            },
            "tags": TAGS,
        },
        changed={"description": "two", "tags": OTHER_TAGS},
    )


def stage(driver: Driver, name: Callable[[str], str]) -> Example:
    return Example(
        inputs={
            "apiId": _api(driver, name).id,
            "name": "dev",
            "autoDeploy": True,
            "description": "one",
            "stageVariables": {"a": "1"},
            "defaultRouteSettings": {"throttlingBurstLimit": 10, "throttlingRateLimit": 2.5},
            "tags": TAGS,
        },
        changed={"description": "two", "stageVariables": {"a": "2"}, "tags": OTHER_TAGS},
        import_id=_below_api,
    )


def route(driver: Driver, name: Callable[[str], str]) -> Example:
    made = _api(driver, name)
    return Example(
        inputs={
            "apiId": made.id,
            "routeKey": "PING",
            "target": f"integrations/{_integration(driver, made).id}",
            "operationName": "ping",
            "routeResponseSelectionExpression": "$default",
            "modelSelectionExpression": "$request.body.action",
        },
        changed={"operationName": "pong"},
        import_id=_below_api,
    )


def route_response(driver: Driver, name: Callable[[str], str]) -> Example:
    made = _api(driver, name)
    return Example(
        inputs={
            "apiId": made.id,
            "routeId": _route(driver, name, made).id,
            "routeResponseKey": "$default",
            "modelSelectionExpression": "default",
        },
        changed={"modelSelectionExpression": "other"},
        import_id=lambda it: f"{it.inputs['apiId']}/{it.inputs['routeId']}/{it.id}",
    )


def integration(driver: Driver, name: Callable[[str], str]) -> Example:
    function = _function(driver, name)
    return Example(
        inputs={
            "apiId": _api(driver, name).id,
            "integrationType": "AWS_PROXY",
            "integrationUri": function.outputs["invokeArn"],
            "integrationMethod": "POST",
            "contentHandlingStrategy": "CONVERT_TO_TEXT",
            "description": "one",
            "requestTemplates": {"a": "{}"},
            "timeoutMilliseconds": 5000,
        },
        changed={"description": "two", "timeoutMilliseconds": 29000},
        import_id=_below_api,
    )


def log_group(driver: Driver, name: Callable[[str], str]) -> Example:
    return Example(
        inputs={"name": name("/aws/lambda/it"), "retentionInDays": 30, "tags": TAGS},
        changed={"retentionInDays": 7, "tags": OTHER_TAGS},
    )


def metric_alarm(driver: Driver, name: Callable[[str], str]) -> Example:
    return Example(
        inputs={
            "name": name("errors"),
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 3,
            "datapointsToAlarm": 2,
            "metricName": "Errors",
            "namespace": "AWS/Lambda",
            "period": 60,
            "statistic": "Sum",
            "threshold": 1.5,
            "unit": "Count",
            "treatMissingData": "notBreaching",
            "alarmDescription": "one",
            "alarmActions": [
                "arn:aws:sns:us-east-1:000000000000:b",
                "arn:aws:sns:us-east-1:000000000000:a",
            ],
            "okActions": ["arn:aws:sns:us-east-1:000000000000:a"],
            "insufficientDataActions": ["arn:aws:sns:us-east-1:000000000000:a"],
            "actionsEnabled": False,
            "dimensions": {"FunctionName": "a", "Resource": "b"},
            "tags": TAGS,
        },
        changed={"threshold": 2, "alarmDescription": "two", "tags": OTHER_TAGS},
    )


def metric_math_alarm(driver: Driver, name: Callable[[str], str]) -> Example:
    def metric(of: str) -> dict[str, Any]:
        return {
            "metricName": of,
            "namespace": "AWS/Lambda",
            "period": 300,
            "stat": "Sum",
            "dimensions": {"FunctionName": "f"},
        }

    return Example(
        inputs={
            "name": name("rate"),
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 1,
            "threshold": 5,
            "metricQueries": [
                {"id": "rate", "expression": "100*e/i", "label": "rate", "returnData": True},
                {"id": "e", "metric": metric("Errors")},
                {"id": "i", "metric": metric("Invocations")},
            ],
        },
        changed={"threshold": 6},
        not_imported=frozenset({"metricQueries"}),
    )


def dashboard(driver: Driver, name: Callable[[str], str]) -> Example:
    def body(text: str) -> str:
        widget = {"type": "text", "width": 6, "height": 3, "properties": {"markdown": text}}
        return json.dumps({"widgets": [widget]})

    return Example(
        inputs={"dashboardName": name("board"), "dashboardBody": body("one")},
        changed={"dashboardBody": body("two")},
    )


def event_rule(driver: Driver, name: Callable[[str], str]) -> Example:
    return Example(
        inputs={
            "name": name("sweep"),
            "scheduleExpression": "rate(15 minutes)",
            "description": "one",
            "state": "DISABLED",
            "tags": TAGS,
        },
        changed={
            "scheduleExpression": "rate(5 minutes)",
            "description": "two",
            "tags": OTHER_TAGS,
        },
    )


def event_target(driver: Driver, name: Callable[[str], str]) -> Example:
    rule = driver.create(
        "aws:cloudwatch/eventRule:EventRule",
        name("rule"),
        eventPattern=json.dumps({"source": ["shop"]}),
    )
    return Example(
        inputs={
            "rule": rule.inputs["name"],
            "arn": _queue(driver, name).outputs["arn"],
            "targetId": "queue",
            "inputPath": "$.detail",
            "retryPolicy": {"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 2},
            "deadLetterConfig": {
                "arn": _queue(driver, lambda each: name(f"{each}-d")).outputs["arn"]
            },
        },
        changed={"inputPath": "$.id"},
        import_id=lambda it: f"default/{it.inputs['rule']}/queue",
    )


def table(driver: Driver, name: Callable[[str], str]) -> Example:
    return Example(
        inputs={
            "name": name("orders"),
            "billingMode": "PAY_PER_REQUEST",
            "hashKey": "orderId",
            "rangeKey": "line",
            "attributes": [
                {"name": "storeId", "type": "S"},
                {"name": "orderId", "type": "S"},
                {"name": "line", "type": "N"},
                {"name": "createdAt", "type": "S"},
            ],
            "globalSecondaryIndexes": [
                {
                    "name": "StoreIdIndex",
                    "hashKey": "storeId",
                    "rangeKey": "createdAt",
                    "projectionType": "ALL",
                }
            ],
            "streamEnabled": True,
            "streamViewType": "NEW_AND_OLD_IMAGES",
            "ttl": {"attributeName": "ttl", "enabled": True},
            "tags": TAGS,
        },
        changed={
            "globalSecondaryIndexes": [
                {"name": "StoreIdIndex", "hashKey": "storeId", "projectionType": "KEYS_ONLY"},
                {
                    "name": "ByStore",
                    "hashKey": "storeId",
                    "rangeKey": "createdAt",
                    "projectionType": "INCLUDE",
                    "nonKeyAttributes": ["total"],
                },
            ],
            "tags": OTHER_TAGS,
        },
    )


def role(driver: Driver, name: Callable[[str], str]) -> Example:
    return Example(
        inputs={
            "name": name("role"),
            "assumeRolePolicy": TRUST,
            "description": "one",
            "maxSessionDuration": 7200,
            "path": "/service/",
            "tags": TAGS,
        },
        changed={
            "assumeRolePolicy": TRUST.replace("lambda.", "events."),
            "description": "two",
            "tags": OTHER_TAGS,
        },
    )


def role_policy(driver: Driver, name: Callable[[str], str]) -> Example:
    return Example(
        inputs={"role": _role(driver, name).id, "name": "send", "policy": ALLOW},
        changed={"policy": ALLOW.replace("SendMessage", "ReceiveMessage")},
    )


def role_policy_attachment(driver: Driver, name: Callable[[str], str]) -> Example:
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    return Example(inputs={"role": _role(driver, name).id, "policyArn": arn})


def function(driver: Driver, name: Callable[[str], str]) -> Example:
    return Example(
        inputs={
            "name": name("function"),
            "role": _role(driver, name).outputs["arn"],
            "code": CODE,
            "handler": "main.handler",
            "runtime": "python3.11",
            "architectures": ["x86_64"],
            "description": "one",
            "environment": {"variables": {"TABLE": "a", "EMPTY": ""}},
            "memorySize": 256,
            "timeout": 10,
            "reservedConcurrentExecutions": 5,
            "deadLetterConfig": {"targetArn": _queue(driver, name).outputs["arn"]},
            "tracingConfig": {"mode": "Active"},
            "loggingConfig": {"logFormat": "JSON", "logGroup": "/custom/group"},
            "tags": TAGS,
        },
        changed={
            "code": OTHER_CODE,
            "environment": {"variables": {"TABLE": "b"}},
            "memorySize": 512,
            "reservedConcurrentExecutions": 6,
            "tags": OTHER_TAGS,
        },
    )


def permission(driver: Driver, name: Callable[[str], str]) -> Example:
    function = _function(driver, name)
    return Example(
        inputs={
            "action": "lambda:InvokeFunction",
            "function": function.outputs["arn"],
            "principal": "apigateway.amazonaws.com",
            "sourceArn": "arn:aws:execute-api:us-east-1:000000000000:api/dev/PING",
            "sourceAccount": "000000000000",
            "statementId": "gateway",
        },
        import_id=lambda it: f"{function.id}/{it.id}",
    )


def event_source_mapping(driver: Driver, name: Callable[[str], str]) -> Example:
    return Example(
        inputs={
            "functionName": _function(driver, name).outputs["arn"],
            "eventSourceArn": _queue(driver, name).outputs["arn"],
            "batchSize": 5,
            "maximumBatchingWindowInSeconds": 1,
            "functionResponseTypes": ["ReportBatchItemFailures"],
            "filterCriteria": {"filters": [{"pattern": '{"body": {"a": [1]}}'}]},
            "scalingConfig": {"maximumConcurrency": 4},
            "tags": TAGS,
        },
        changed={"batchSize": 7, "enabled": False, "tags": OTHER_TAGS},
    )


def queue(driver: Driver, name: Callable[[str], str]) -> Example:
    dead = _queue(driver, lambda each: name(f"{each}-dead"))

    def redrive(count: int) -> str:
        return json.dumps({"deadLetterTargetArn": dead.outputs["arn"], "maxReceiveCount": count})

    return Example(
        inputs={
            "name": name("jobs"),
            "delaySeconds": 1,
            "maxMessageSize": 2048,
            "messageRetentionSeconds": 3600,
            "receiveWaitTimeSeconds": 20,
            "visibilityTimeoutSeconds": 90,
            "redrivePolicy": redrive(5),
            "sqsManagedSseEnabled": True,
            "tags": TAGS,
        },
        changed={
            "visibilityTimeoutSeconds": 120,
            "redrivePolicy": redrive(3),
            "tags": OTHER_TAGS,
        },
    )


def queue_policy(driver: Driver, name: Callable[[str], str]) -> Example:
    return Example(
        inputs={"queueUrl": _queue(driver, name).id, "policy": ALLOW},
        changed={"policy": ALLOW.replace("SendMessage", "ReceiveMessage")},
    )


EXAMPLES: Mapping[str, tuple[str, Make]] = {
    make.__name__: (token, make)
    for token, make in (
        ("aws:apigatewayv2/api:Api", api),
        ("aws:apigatewayv2/stage:Stage", stage),
        ("aws:apigatewayv2/route:Route", route),
        ("aws:apigatewayv2/routeResponse:RouteResponse", route_response),
        ("aws:apigatewayv2/integration:Integration", integration),
        ("aws:cloudwatch/logGroup:LogGroup", log_group),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", metric_alarm),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", metric_math_alarm),
        ("aws:cloudwatch/dashboard:Dashboard", dashboard),
        ("aws:cloudwatch/eventRule:EventRule", event_rule),
        ("aws:cloudwatch/eventTarget:EventTarget", event_target),
        ("aws:dynamodb/table:Table", table),
        ("aws:iam/role:Role", role),
        ("aws:iam/rolePolicy:RolePolicy", role_policy),
        ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", role_policy_attachment),
        ("aws:lambda/function:Function", function),
        ("aws:lambda/permission:Permission", permission),
        ("aws:lambda/eventSourceMapping:EventSourceMapping", event_source_mapping),
        ("aws:sqs/queue:Queue", queue),
        ("aws:sqs/queuePolicy:QueuePolicy", queue_policy),
    )
}
