"""What the component registers, and what it must never register."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas import catalogue
from lambdas.catalogue import Env
from tests.components.conftest import Configure
from tests.components.program import OURS, build
from tests.components.recording import ACCOUNT, API_ID, ORDERS, REGION, Engine

FUNCTION = "aws:lambda/function:Function"
PERMISSION = "aws:lambda/permission:Permission"
ROUTE = "aws:apigatewayv2/route:Route"
ROUTE_RESPONSE = "aws:apigatewayv2/routeResponse:RouteResponse"
INTEGRATION = "aws:apigatewayv2/integration:Integration"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
QUEUE = "aws:sqs/queue:Queue"
SOURCE = "aws:lambda/eventSourceMapping:EventSourceMapping"
EXECUTION_ARN = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{API_ID}"


def statements(engine: Engine, name: str) -> dict[str, dict[str, Any]]:
    document = json.loads(engine.of_type(ROLE_POLICY)[f"order-receiver-{name}-policy"]["policy"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_nothing_of_the_platform_is_created(engine: Engine, configure: Configure) -> None:
    build()
    for typ in (
        "aws:apigatewayv2/api:Api",
        "aws:apigatewayv2/stage:Stage",
        "aws:apigatewayv2/deployment:Deployment",
        "aws:apigatewayv2/authorizer:Authorizer",
        "aws:dynamodb/table:Table",
    ):
        assert engine.of_type(typ) == {}, f"{typ} belongs to the platform"


def test_every_route_has_a_reply_and_a_permission_for_itself_alone(
    engine: Engine, configure: Configure
) -> None:
    build()
    routes = {inputs["routeKey"]: inputs for inputs in engine.of_type(ROUTE).values()}
    assert set(routes) == set(catalogue.MERCHANT_ROUTES)
    assert {inputs["apiId"] for inputs in routes.values()} == {API_ID}
    assert {inputs["routeResponseSelectionExpression"] for inputs in routes.values()} == {
        "$default"
    }
    assert len(engine.of_type(ROUTE_RESPONSE)) == len(routes)
    sources = {inputs["sourceArn"] for inputs in engine.of_type(PERMISSION).values()}
    assert {source for source in sources if "execute-api" in source} == {
        f"{EXECUTION_ARN}/test/{key}" for key in routes
    }


def test_every_route_goes_through_one_integration_to_the_websocket_lambda(
    engine: Engine, configure: Configure
) -> None:
    build()
    (integration,) = engine.of_type(INTEGRATION).values()
    assert integration["integrationType"] == "AWS_PROXY"
    assert integration["integrationMethod"] == "POST"
    assert f":function:{OURS}/invocations" in integration["integrationUri"]
    targets = {inputs["target"] for inputs in engine.of_type(ROUTE).values()}
    assert targets == {"integrations/order-receiver-integration-id"}


def test_a_handshake_route_has_no_reply(engine: Engine, configure: Configure) -> None:
    handed_over = {"routeKey": "$connect", "reason": "agreed", "formerFunction": "Former"}
    configure(routes=["PING", "$connect"], handedOverRoutes=[handed_over])
    build()
    assert [inputs["routeResponseKey"] for inputs in engine.of_type(ROUTE_RESPONSE).values()] == [
        "$default"
    ]
    connect = engine.of_type(ROUTE)["order-receiver-connect-route"]
    assert "routeResponseSelectionExpression" not in connect


def test_a_former_lambda_may_be_invoked_by_its_arn_alone(
    engine: Engine, configure: Configure
) -> None:
    handed_over = {"routeKey": "$default", "reason": "agreed", "formerFunction": "Former"}
    configure(routes=["PING", "$default"], handedOverRoutes=[handed_over])
    build()
    granted = statements(engine, "websocket")["PassOnForeignMessages"]
    assert granted["Resource"] == [f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:Former"]
    environment = engine.of_type(FUNCTION)["order-receiver-websocket"]["environment"]["variables"]
    assert json.loads(environment[Env.FORMER_FUNCTIONS]) == {"$default": "Former"}


def test_the_lambda_is_told_the_names_in_use(engine: Engine, configure: Configure) -> None:
    configure(ordersTable=ORDERS)
    build()
    variables = engine.of_type(FUNCTION)["order-receiver-websocket"]["environment"]["variables"]
    assert variables[Env.ENDPOINT] == f"https://{API_ID}.execute-api.{REGION}.amazonaws.com/test"
    assert variables[Env.CONNECTIONS_TABLE] == "WizzUser_websocket_connections_test"
    assert variables[Env.API_ID] == API_ID
    assert variables[Env.ORDERS_TABLE] == ORDERS
    (pool,) = json.loads(variables[Env.USER_POOLS])
    assert pool["jwksUrl"].endswith("/us-east-1_Abc123/.well-known/jwks.json")


def test_a_local_cloud_is_posted_to_over_http(engine: Engine, configure: Configure) -> None:
    engine.platform.apis[0]["apiEndpoint"] = f"ws://127.0.0.1:4566/_aws/execute-api/{API_ID}"
    outputs = build()
    assert outputs["webSocketUrl"] == f"ws://127.0.0.1:4566/_aws/execute-api/{API_ID}/test"
    assert outputs["managementEndpoint"] == f"http://127.0.0.1:4566/_aws/execute-api/{API_ID}/test"


@pytest.mark.parametrize("orders", [None, ORDERS])
def test_each_role_has_exactly_the_statements_of_its_lambda(
    engine: Engine, configure: Configure, orders: str | None
) -> None:
    configure(ordersTable=orders)
    build()
    entry_points = {entry.name.replace("_", "-"): entry for entry in catalogue.ENTRY_POINTS}
    if not orders:
        del entry_points["order-events"]
    assert len(engine.of_type(ROLE_POLICY)) == len(entry_points)
    for name, entry_point in entry_points.items():
        granted = {
            (action, resource)
            for statement in statements(engine, name).values()
            for action in statement["Action"]
            for resource in statement["Resource"]
            if not action.startswith("logs:")
        }
        known = {action for statement in entry_point.statements for action in statement.actions}
        assert {action for action, _ in granted} <= known
        assert all("*" not in resource.removesuffix("@connections/*") for _, resource in granted)


def test_every_name_of_the_catalogue_stands_for_something(
    engine: Engine, configure: Configure
) -> None:
    """A full stack leaves no statement out, so that no Lambda lacks what it asked for."""
    handed_over = {"routeKey": "$default", "reason": "agreed", "formerFunction": "Former"}
    configure(ordersTable=ORDERS, routes=["$default"], handedOverRoutes=[handed_over])
    build()
    for entry_point in catalogue.ENTRY_POINTS:
        granted = statements(engine, entry_point.name.replace("_", "-"))
        for statement in entry_point.statements:
            assert len(granted[statement.sid]["Resource"]) >= len(statement.resources)
            assert granted[statement.sid]["Action"] == list(statement.actions)


def test_a_posting_role_may_post_to_connections_of_the_stage_and_nothing_else(
    engine: Engine, configure: Configure
) -> None:
    build()
    granted = statements(engine, "websocket")["PostToConnections"]
    assert granted["Action"] == ["execute-api:ManageConnections"]
    assert granted["Resource"] == [f"{EXECUTION_ARN}/test/POST/@connections/*"]


def test_without_an_orders_table_no_role_knows_of_one(engine: Engine, configure: Configure) -> None:
    build()
    policies = "".join(inputs["policy"] for inputs in engine.of_type(ROLE_POLICY).values())
    assert "order-receiver-order-events" not in engine.of_type(FUNCTION)
    assert "FindPendingOrders" not in statements(engine, "fanout"), "IAM refuses one about nothing"
    assert ORDERS not in policies


def test_every_lambda_has_a_log_group_that_forgets(engine: Engine, configure: Configure) -> None:
    configure(logRetentionDays=14)
    build()
    logged = {inputs["name"]: inputs for inputs in engine.of_type(LOG_GROUP).values()}
    for function in engine.of_type(FUNCTION).values():
        assert logged[f"/aws/lambda/{function['name']}"]["retentionInDays"] == 14


def test_the_websocket_lambda_takes_the_stacks_memory_and_reservation(
    engine: Engine, configure: Configure
) -> None:
    configure(lambdaMemorySize=1024, reservedConcurrency={"fanout": 7})
    build()
    functions = engine.of_type(FUNCTION)
    assert functions["order-receiver-websocket"]["memorySize"] == 1024
    assert "reservedConcurrentExecutions" not in functions["order-receiver-websocket"]
    assert functions["order-receiver-fanout"]["memorySize"] == catalogue.FANOUT.memory_size
    assert functions["order-receiver-fanout"]["reservedConcurrentExecutions"] == 7


def test_a_message_stays_hidden_six_times_as_long_as_its_worker_may_take(
    engine: Engine, configure: Configure
) -> None:
    build()
    queue = engine.of_type(QUEUE)["order-receiver-fanout"]
    assert queue["visibilityTimeoutSeconds"] >= 6 * catalogue.FANOUT.timeout
    redrive = json.loads(queue["redrivePolicy"])
    assert redrive["maxReceiveCount"] == catalogue.FANOUT_MAX_RECEIVES
    assert redrive["deadLetterTargetArn"].endswith(":order-receiver-test-dead-letters")


def test_poison_does_not_block_the_orders_stream(engine: Engine, configure: Configure) -> None:
    configure(ordersTable=ORDERS)
    build()
    source = engine.of_type(SOURCE)["order-receiver-order-events-source"]
    assert source["bisectBatchOnFunctionError"] is True
    assert 0 < source["maximumRetryAttempts"] <= 10
    assert 0 < source["maximumRecordAgeInSeconds"] <= 86_400
    assert source["functionResponseTypes"] == ["ReportBatchItemFailures"]
    failed = source["destinationConfig"]["onFailure"]["destinationArn"]
    assert failed.endswith(":order-receiver-test-dead-letters")


def test_a_failed_share_of_an_audience_comes_again_alone(
    engine: Engine, configure: Configure
) -> None:
    build()
    (source,) = engine.of_type(SOURCE).values()
    assert source["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["batchSize"] == catalogue.FANOUT_BATCH_SIZE


def test_the_janitor_is_woken_by_its_own_schedule_alone(
    engine: Engine, configure: Configure
) -> None:
    build()
    (rule,) = engine.of_type("aws:cloudwatch/eventRule:EventRule").values()
    assert rule["scheduleExpression"] == f"rate({catalogue.JANITOR_PERIOD_MINUTES} minutes)"
    permission = engine.of_type(PERMISSION)["order-receiver-janitor-schedule-permission"]
    assert permission["principal"] == "events.amazonaws.com"
    assert permission["sourceArn"].endswith(rule["name"])
    (target,) = engine.of_type("aws:cloudwatch/eventTarget:EventTarget").values()
    assert target["deadLetterConfig"]["arn"].endswith(":order-receiver-test-dead-letters")
    (policy,) = engine.of_type("aws:sqs/queuePolicy:QueuePolicy").values()
    (statement,) = json.loads(policy["policy"])["Statement"]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": permission["sourceArn"]}}


def test_the_outputs_are_those_that_others_rely_on(engine: Engine, configure: Configure) -> None:
    outputs = build()
    assert list(outputs) == [
        "sharedWebSocketApiId",
        "webSocketUrl",
        "managementEndpoint",
        "connectionsTable",
        "subscriptionsTable",
        "routes",
        "functions",
        "fanoutQueueUrl",
        "dashboardUrl",
    ]
    assert outputs["webSocketUrl"] == f"wss://{API_ID}.execute-api.{REGION}.amazonaws.com/test"
    assert outputs["routes"] == list(catalogue.MERCHANT_ROUTES)


def test_every_child_belongs_to_the_component(engine: Engine, configure: Configure) -> None:
    build()
    components = [args for args in engine.resources if not args.custom]
    assert [args.typ for args in components] == ["order-receiver:index:OrderReceiver"]
    assert all("order-receiver" in args.name for args in engine.resources)
