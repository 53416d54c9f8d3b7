"""What a plan finds: by stack, by name, whatever points at it, and what CloudFormation refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from ops.__main__ import ops
from ops.errors import OperatorError
from ops.migrate.apply import carry_out
from ops.migrate.elsewhere import indirect
from ops.migrate.migration import Migration
from ops.migrate.named import carries, line, stems
from ops.migrate.plan import Plan, make
from ops.migrate.report import plan_as_json, plan_as_text
from ops.migrate.survey import Survey, Text, survey
from ops.migrate.template import load
from sandbox.cloud import Cloud

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("migration")]


def _plan(migration: Migration) -> Plan:
    return make(migration.legacy(), migration.deployed, migration.client)


def _ops(step: str, outputs: Path, stack: str, *options: str) -> Result:
    arguments = ["migrate", step, "--outputs", str(outputs), "--legacy-stack", stack, *options]
    return CliRunner().invoke(ops, arguments)


# --- By name --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stack", "names", "begin"),
    [
        ("order-receiver-regional-dev", (), {"order-receiver-websocket"}),
        ("drivers-dev", (), {"drivers-websocket"}),
        (
            "order-receiver-regional-dev",
            ("merchants-websocket-api-dev", "r4nd0m"),
            {"order-receiver-websocket", "merchants-websocket"},
        ),
    ],
)
def test_names_begin_as_the_apps_the_stacks_and_its_resources_do(
    stack: str, names: tuple[str, ...], begin: set[str]
) -> None:
    assert set(stems(stack, "dev", names)) == {f"{stack}-websocket", *begin}


@pytest.mark.parametrize(
    ("name", "is_so_called"),
    [
        ("order-receiver-websocket", True),
        ("order-receiver-websocket-api-dev", True),
        ("/aws/lambda/order-receiver-websocket-dev-handler", True),
        ("order-receiver-websockets", False),
        ("new-order-receiver-websocket", False),
        ("order-receiver-dev-websocket", False),
    ],
)
def test_a_name_is_the_apps_only_when_it_begins_so(name: str, is_so_called: bool) -> None:
    assert carries(name, ("order-receiver-websocket",)) is is_so_called


@pytest.fixture
def by_hand(cloud: Cloud, stack: str) -> Iterator[str]:
    """An API and a table that somebody made by hand, and what points at them; gives the API."""
    name = f"{stack}-websocket-old"
    api = cloud.client("apigatewayv2").create_api(
        Name=name, ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    dynamodb = cloud.client("dynamodb")
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in range(3):
        dynamodb.put_item(TableName=name, Item={"PK": {"S": str(number)}})
    cloud.client("logs").create_log_group(logGroupName=f"/aws/lambda/{name}-handler")
    cloud.client("ssm").put_parameter(Name=f"/{name}", Value=f"wss://{api}.x/dev", Type="String")
    cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    statement = {"Effect": "Allow", "Action": "*", "Resource": f"arn:aws:execute-api:*:*:{api}/*"}
    cloud.client("iam").put_role_policy(
        RoleName=name, PolicyName="posts", PolicyDocument=json.dumps({"Statement": [statement]})
    )
    handler = f"{stack}-websocket-handler"
    cloud.client("lambda").add_permission(
        FunctionName=handler,
        StatementId="by-hand",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:000000000000:{api}/*",
    )
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{name}-errors",
        Namespace="AWS/ApiGateway",
        MetricName="ClientError",
        Dimensions=[{"Name": "ApiId", "Value": api}],
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )
    yield api
    cloud.client("apigatewayv2").delete_api(ApiId=api)
    dynamodb.delete_table(TableName=name)
    cloud.client("iam").delete_role_policy(RoleName=name, PolicyName="posts")
    cloud.client("iam").delete_role(RoleName=name)
    cloud.client("ssm").delete_parameter(Name=f"/{name}")
    cloud.client("logs").delete_log_group(logGroupName=f"/aws/lambda/{name}-handler")
    cloud.client("cloudwatch").delete_alarms(AlarmNames=[f"{name}-errors"])


def test_what_is_called_like_the_app_outside_its_stack_is_shown_with_what_points_at_it(
    migration: Migration, by_hand: str
) -> None:
    name = f"{migration.stack}-websocket-old"
    found = {(one.kind, one.name): one for one in _plan(migration).found_by_name}
    assert set(found) == {
        ("WebSocket API", name),
        ("table", name),
        ("log group", f"/aws/lambda/{name}-handler"),
        ("alarm", f"{name}-errors"),
    }
    assert found["table", name].says == "3 rows"
    api = found["WebSocket API", name]
    assert api.id == by_hand
    assert set(api.pointers) == {
        f"the Lambda {migration.stack}-websocket-handler names {by_hand} in its permission by-hand",
        f"the role {name} names {by_hand} in its policy posts",
        f"the alarm {name}-errors names {by_hand} in what it watches",
        f"the parameter /{name} names {by_hand} in its value",
    }


def test_what_was_found_by_name_is_never_among_what_goes(
    migration: Migration, by_hand: str
) -> None:
    plan = _plan(migration)
    assert not {one.id for one in plan.found_by_name} & set(migration.legacy().physical.values())
    text, document = plan_as_text(plan), json.loads(plan_as_json(plan))
    assert "found by name, not in the stack (the migration leaves it as it is):" in text
    assert f"({by_hand}), in no stack: " in text
    assert {one["id"] for one in document["foundByName"]} >= {by_hand}


def test_whose_stack_a_thing_is_in_is_said(by_hand: str, migration: Migration) -> None:
    plan = _plan(migration)
    (api,) = (one for one in plan.found_by_name if one.id == by_hand)
    assert "in the stack order-receiver-websocket-v2: " in line(
        replace(api, owner="order-receiver-websocket-v2")
    )


def test_a_stack_that_is_not_there_is_told_from_what_is_called_like_it(
    by_hand: str, stack: str, outputs_file: Path
) -> None:
    planned = _ops("plan", outputs_file, f"{stack}-websocket-old-regional-sandbox")
    assert planned.exit_code == 2
    assert "there is no stack" in planned.output
    gone = stack.replace("legacy", "gone")
    planned = _ops("plan", outputs_file, gone)
    assert planned.exit_code == 2
    assert "nothing is called like it either" in planned.output


@pytest.mark.usefixtures("by_hand")
def test_what_a_deleted_stack_left_behind_is_listed_though_the_stack_is_gone(
    cloud: Cloud, stack: str, outputs_file: Path
) -> None:
    cloud.client("cloudformation").delete_stack(StackName=stack)
    cloud.client("cloudformation").get_waiter("stack_delete_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 0.1}
    )
    planned = _ops("plan", outputs_file, stack)
    assert planned.exit_code == 2
    assert "What is called like it:" in planned.output
    assert f"table {stack}-websocket-old, in no stack: 3 rows" in planned.output
    document = CliRunner().invoke(
        ops,
        ["migrate", "plan", "--outputs", str(outputs_file), "--legacy-stack", stack, "--json"],
    )
    kinds = {one["kind"] for one in json.loads(document.stdout)["foundByName"]}
    assert {"WebSocket API", "table"} <= kinds


# --- What points at it ----------------------------------------------------------------------------


@pytest.mark.usefixtures("by_hand")
def test_what_deployed_things_name_the_stacks_own_api_is_a_leftover(
    cloud: Cloud, migration: Migration, order_events: str
) -> None:
    api = migration.legacy().api_id()
    cloud.client("lambda").update_function_configuration(
        FunctionName=order_events, Environment={"Variables": {"OLD": f"wss://{api}.x/dev"}}
    )
    leftovers = _plan(migration).leftovers
    assert leftovers == (f"the Lambda {order_events} names {api} in its environment's OLD",)


TEMPLATE = """
Parameters:
  OldUrl: {Type: String}
  Stored: {Type: AWS::SSM::Parameter::Value<String>}
  Stage: {Type: String}
Resources:
  Handler:
    Type: AWS::Lambda::Function
    Properties:
      Environment:
        Variables:
          A: !ImportValue other-url
          B: !ImportValue {"Fn::Sub": "other-${Stage}-url"}
          C: "{{resolve:ssm:/app/url}}"
          D: "{{resolve:ssm:/app/url:3}}"
          E: "{{resolve:ssm:/app/fine}}"
          F: !ImportValue fine
"""


def test_a_value_that_the_template_takes_from_elsewhere_is_named_by_its_path() -> None:
    old = "wss://pyc140yn0h.execute-api.us-east-1.amazonaws.com/dev"
    found = Survey(
        exports={"other-url": old, "other-dev-url": old, "fine": "x"},
        parameters={"/app/url": old, "/app/fine": "x"},
    )
    given = {"OldUrl": old, "Stored": old, "Stage": "dev"}
    env = "Resources.Handler.Properties.Environment.Variables"
    names = frozenset({"pyc140yn0h"})
    assert list(indirect(load(TEMPLATE), given, found, names)) == [
        "Parameters.OldUrl has a value that names pyc140yn0h",
        "Parameters.Stored has a value that names pyc140yn0h",
        f"{env}.A imports other-url, which names pyc140yn0h",
        f"{env}.B imports other-dev-url, which names pyc140yn0h",
        f"{env}.C takes the parameter /app/url, which names pyc140yn0h",
        f"{env}.D takes the parameter /app/url, which names pyc140yn0h",
    ]


def test_a_survey_says_what_names_a_thing_save_what_is_excepted() -> None:
    texts = [
        Text(holder="the Lambda a", part="its environment's X", physical="a", text="u/pyc140yn0h"),
        Text(holder="the Lambda b", part="its environment's X", physical="b", text="pyc140yn0h"),
        Text(holder="the Lambda c", part="its environment's X", physical="c", text="pyc140yn0h9"),
    ]
    found = Survey(texts=texts)
    assert found.naming({"pyc140yn0h"}, but=frozenset({"b"})) == (
        "the Lambda a names pyc140yn0h in its environment's X",
    )


class Forbidding:
    """Clients of somebody who may read no roles."""

    def __init__(self, clients: Callable[[str], Any]) -> None:
        self._clients = clients

    def __call__(self, service: str) -> Any:
        if service == "iam":
            error = {"Error": {"Code": "AccessDenied", "Message": "no"}}
            raise ClientError(error, "GetAccountAuthorizationDetails")
        return self._clients(service)


def test_what_may_not_be_read_is_said_and_the_rest_is_read(migration: Migration) -> None:
    found = survey(Forbidding(migration.client), lambda _, __: None)
    (unread,) = found.unread
    assert "the roles' policies" in unread
    assert found.functions
    text = plan_as_text(replace(_plan(migration), unread=(unread,)))
    assert "not looked at, for want of a permission:\n  ? the roles' policies" in text


# --- The stack and the shared side ----------------------------------------------------------------


def test_an_export_in_use_that_would_change_is_a_blocker(
    cloud: Cloud, migration: Migration, unique: Callable[[str], str]
) -> None:
    client, export, importer = cloud.client("cloudformation"), unique("url"), unique("importer")
    legacy = migration.legacy()
    template = legacy.template
    template["Outputs"]["WebSocketUrl"]["Export"] = {"Name": export}
    client.update_stack(
        StackName=migration.stack,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": name, "UsePreviousValue": True} for name in legacy.parameters],
    )
    client.get_waiter("stack_update_complete").wait(
        StackName=migration.stack, WaiterConfig={"Delay": 0.1}
    )
    assert _plan(migration).blockers == ()
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::ImportValue": export}}}
    client.create_stack(
        StackName=importer, TemplateBody=json.dumps({"Resources": {"Topic": topic}})
    )
    client.get_waiter("stack_create_complete").wait(StackName=importer, WaiterConfig={"Delay": 0.1})
    plan = _plan(migration)
    client.delete_stack(StackName=importer)
    (blocker,) = plan.blockers
    assert f"the stack {importer} imports {export}" in blocker
    assert "so apply does not begin" in plan_as_text(plan)


def test_what_was_changed_by_hand_is_noted(cloud: Cloud, migration: Migration) -> None:
    table = migration.legacy().table()
    cloud.client("dynamodb").delete_table(TableName=table)
    notes = _plan(migration).notes
    assert any("WebSocketConnectionsTable was deleted by hand" in note for note in notes)


def test_a_second_api_of_the_same_name_is_not_taken_for_the_stacks(
    cloud: Cloud, migration: Migration
) -> None:
    client = cloud.client("apigatewayv2")
    name = f"{migration.stack}-websocket-api"
    selection = "$request.body.action"
    api = client.create_api(
        Name=name, ProtocolType="WEBSOCKET", RouteSelectionExpression=selection
    )["ApiId"]
    found = _plan(migration).found_by_name
    client.delete_api(ApiId=api)
    assert [(one.name, one.id) for one in found] == [(name, api)]


def test_a_route_that_the_shared_api_does_not_have_is_noted(migration: Migration) -> None:
    legacy = migration.legacy()
    template = legacy.template
    template["Resources"]["ConnectRoute"]["Properties"]["RouteKey"] = "driver_connect"
    notes = make(legacy, migration.deployed, migration.client).notes
    assert any(note.startswith("the route driver_connect is not on the shared") for note in notes)
    assert not any("$connect is not" in note for note in notes)


def test_a_nested_stack_is_pointed_out(migration: Migration) -> None:
    arn = "arn:aws:cloudformation:us-east-1:031857856164:stack/old-Sockets-1ABC/0123"
    legacy = migration.legacy()
    nested = replace(
        legacy,
        types={**legacy.types, "Sockets": "AWS::CloudFormation::Stack"},
        physical={**legacy.physical, "Sockets": arn},
    )
    notes = make(nested, migration.deployed, migration.client).notes
    assert "Sockets is a stack of its own: plan it with --legacy-stack old-Sockets-1ABC" in notes


def test_a_stack_without_an_api_has_nothing_to_migrate(migration: Migration) -> None:
    plan = replace(_plan(migration), removals=())
    assert plan_as_text(plan).startswith(
        f"{migration.stack} has no WebSocket API of its own: nothing to migrate"
    )


def test_the_status_of_a_migration_outlives_its_stack(
    migration: Migration, outputs_file: Path, tmp_path: Path
) -> None:
    carry_out(migration, _plan(migration), tmp_path)
    client = migration.client("cloudformation")
    client.delete_stack(StackName=migration.stack)
    client.get_waiter("stack_delete_complete").wait(
        StackName=migration.stack, WaiterConfig={"Delay": 0.1}
    )
    shown = _ops("status", outputs_file, migration.stack)
    assert shown.exit_code == 0
    assert shown.output.startswith(f"{migration.stack} (deleted)")
    assert "6. confirm   done at" in shown.output
    assert _ops("status", outputs_file, "never-there").exit_code == 2


def test_outputs_of_another_account_are_noticed(migration: Migration) -> None:
    for wrong in ({"api_id": "nowhere"}, {"connections_table": "nowhere"}):
        elsewhere = replace(migration, deployed=replace(migration.deployed, **wrong))
        with pytest.raises(
            OperatorError,
            match=r"is not in the sandbox at http:.+--stack or --outputs names others",
        ):
            _plan(elsewhere)


def test_the_plan_says_how_many_are_connected(cloud: Cloud, migration: Migration) -> None:
    row = {"PK": {"S": "CONNECTION#1"}, "SK": {"S": "METADATA"}}
    cloud.client("dynamodb").put_item(TableName=migration.legacy().table(), Item=row)
    plan = _plan(migration)
    assert plan.connections == 1
    assert f"from {plan.legacy_api}, with 1 connections in {plan.legacy_table}" in plan_as_text(
        plan
    )


def test_the_json_of_a_plan_has_all_of_it(outputs_file: Path, stack: str) -> None:
    planned = CliRunner().invoke(
        ops,
        ["migrate", "plan", "--outputs", str(outputs_file), "--legacy-stack", stack, "--json"],
    )
    document = json.loads(planned.stdout)
    assert planned.exit_code == 0
    assert document["isDone"] is False
    assert {"digest", "removals", "leftovers", "blockers", "notes", "unread"} <= set(document)
    assert document["steps"][0]["name"] == "backup"
