"""The main job: from nothing to a deployed, proven order receiver, and back to nothing."""

import asyncio
import importlib.util
import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest

from sandbox.commands.settings import changed

pytestmark = pytest.mark.xdist_group("end-to-end")

_client = importlib.util.spec_from_file_location("client", Path(__file__).with_name("client.py"))
client = importlib.util.module_from_spec(_client)
_client.loader.exec_module(client)


@pytest.fixture(scope="module")
def first(clone):
    """What `make up` says on a machine where nothing runs."""
    done = clone.make("up")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def outputs(clone, first):
    return clone.outputs()


def test_up_previews_deploys_and_proves(first):
    assert "Previewing update (sandbox)" in first
    assert "aws:lambda/function:Function order-receiver-websocket create" in first
    proof = first[first.index("Proving it") :]
    steps = [line for line in proof.splitlines() if line.startswith("✓")]
    assert len(steps) == 17
    assert all(" s" in step for step in steps)
    assert "Proven: 17 steps hold" in proof
    assert "The order receiver is deployed and proven" in proof
    assert "ws://127.0.0.1:" in proof
    assert "make down" in proof


def test_the_status_counts_the_resources_that_were_announced(clone, first):
    status = json.loads(clone.sandbox("status", "--json").stdout)
    assert f"{status['resources']} to create" in first
    assert clone.make("status").returncode == 0


def test_what_a_kill_lost_is_no_secret_until_our_stack_was_brought_in_line(clone, first, tmp_path):
    tmp_path.joinpath("Pulumi.yaml").write_text("name: other\nruntime: python\n")
    tmp_path.joinpath("__main__.py").write_text("import pulumi\npulumi.export('a', 1)\n")
    lost = clone.root / ".sandbox" / "cloud" / "lost"
    lost.touch()
    for program, left in ((("--cwd", str(tmp_path)), True), ((), False)):
        done = clone.sandbox("up", "--yes", "--json", *program)
        assert json.loads(done.stdout)["exit_code"] == 0, done.stderr
        assert lost.exists() == left


def test_outputs_are_one_json_object_with_all_keys(outputs):
    assert set(outputs) == {
        "sharedWebSocketApiId",
        "webSocketUrl",
        "managementEndpoint",
        "connectionsTable",
        "subscriptionsTable",
        "routes",
        "functions",
        "fanoutQueueUrl",
        "dashboardUrl",
        "sandbox",
    }
    sandbox = outputs["sandbox"]
    assert set(sandbox) == {"endpoint", "region", "users"}
    users = {user["name"]: user for user in sandbox["users"]}
    assert set(users) == {"merchant1", "merchant2", "customer1", "customer2", "driver1"}
    assert all(set(user) == {"name", "role", "userId", "businessId"} for user in users.values())
    businesses = [user["businessId"] for user in users.values() if user["role"] == "merchant"]
    assert len(set(businesses)) == 2


@pytest.mark.parametrize("name", ["merchant1", "merchant2", "customer1", "customer2", "driver1"])
def test_every_user_registers_with_a_token_from_the_command(clone, outputs, name):
    done = clone.sandbox("token", name)
    assert done.returncode == 0
    user = next(user for user in outputs["sandbox"]["users"] if user["name"] == name)

    async def visit():
        async with client.connected(outputs["webSocketUrl"]) as app:
            business = {"businessId": user["businessId"]} if user["businessId"] else {}
            return await app.ask(
                action="REGISTER_CONNECTION", token=done.stdout.strip(), **business
            )

    answer = asyncio.run(visit())
    assert answer["type"] == "REGISTERED"
    assert answer["entityType"] == user["role"]
    assert answer["userId"] == user["userId"]


def test_a_new_order_and_a_toggle_reach_those_whom_they_concern(clone, outputs):
    """By Lambdas that may do what their roles say and nothing else."""
    users = {user["name"]: user for user in outputs["sandbox"]["users"]}
    business = users["merchant1"]["businessId"]
    tokens = {name: clone.sandbox("token", name).stdout.strip() for name in users}

    async def visit():
        url = outputs["webSocketUrl"]
        async with client.connected(url) as merchant, client.connected(url) as customer:
            await merchant.ask(
                action="REGISTER_CONNECTION", token=tokens["merchant1"], businessId=business
            )
            await merchant.ask(action="SUBSCRIBE_ORDERS", businessId=business)
            await customer.ask(action="REGISTER_CONNECTION", token=tokens["customer1"])
            await customer.ask(action="subscribe_business_status", businessId=business)
            _put_order(outputs, business, users["customer1"]["userId"])
            order = await merchant.await_message(lambda m: m.get("type") == "NEW_ORDER")
            toggled = await merchant.ask(
                action="BUSINESS_STATUS_UPDATE", businessId=business, isActive=False
            )
            seen = await customer.await_message(lambda m: m.get("type") == "MERCHANT_STATUS_CHANGE")
            return order, toggled, seen

    order, toggled, seen = asyncio.run(visit())
    assert order["payload"]["data"]["orderId"] == "order-1"
    assert toggled["type"] == "BUSINESS_STATUS_UPDATED"
    assert seen["data"]["merchantId"] == business
    assert seen["data"]["isAcceptingOrders"] is False
    assert seen["version"] == toggled["version"]


def test_a_second_up_changes_nothing_and_still_proves(clone, outputs):
    before = _written(clone, outputs)
    done = clone.make("up")
    assert done.returncode == 0
    assert "unchanged" in done.stdout
    assert "Updating" not in done.stdout
    assert "heartbeat_response" in done.stdout
    assert _written(clone, outputs) == before


def test_changed_settings_show_exactly_that_and_apply_exactly_that(clone, outputs):
    """More memory for one Lambda, and a route less: with what belongs to it, and nothing else."""
    settings = clone.root / "Pulumi.sandbox.yaml"
    text = settings.read_text()
    try:
        edited = changed(text, "order-receiver:lambdaMemorySize", "1024")
        settings.write_text(edited.replace("    - order_message\n", ""))
        assert _changes(clone.sandbox("preview", "--json")) == {
            ("update", "order-receiver-websocket", "memorySize"),
            ("delete", "order-receiver-order_message-route", ""),
            ("delete", "order-receiver-order_message-reply", ""),
            ("delete", "order-receiver-order_message-permission", ""),
        }
        assert clone.make("up").returncode == 0
        function = outputs["functions"]["websocket"]
        found = _aws(outputs, "lambda").get_function_configuration(FunctionName=function)
        assert found["MemorySize"] == 1024
        assert "order_message" not in _routes(outputs)
        assert _changes(clone.sandbox("preview", "--json")) == set()
    finally:
        settings.write_text(text)
    assert clone.make("up").returncode == 0
    assert "order_message" in _routes(outputs)


def test_a_killed_cloud_is_healed_by_the_next_up(clone, outputs):
    cloud = json.loads(clone.root.joinpath(".sandbox", "cloud", "cloud.json").read_text())
    os.kill(cloud["pid"], signal.SIGKILL)
    done = clone.make("outputs")
    assert done.returncode != 0
    assert "its cloud is not running; run: make up" in done.stderr
    healed = clone.make("up")
    assert healed.returncode == 0
    assert "after it was killed" in healed.stdout
    assert "heartbeat_response" in healed.stdout
    assert clone.outputs()["webSocketUrl"] == outputs["webSocketUrl"]


def test_down_leaves_nothing_running_and_the_next_up_starts_clean(clone, first):
    done = clone.make("down")
    assert done.returncode == 0
    assert clone.processes() == []
    left = [path.name for path in clone.root.joinpath(".sandbox").rglob("*") if path.is_file()]
    assert sorted(left) == ["bring-up.lock", "cloud.json", "lock"]
    assert clone.make("down").returncode == 0
    again = clone.make("up")
    assert again.returncode == 0
    assert "heartbeat_response" in again.stdout


def _put_order(outputs, business, customer):
    now = datetime.now(UTC).isoformat()
    _aws(outputs, "dynamodb").put_item(
        TableName="WizzOrders_sandbox",
        Item={
            "orderId": {"S": "order-1"},
            "businessId": {"S": business},
            "customerId": {"S": customer},
            "customerName": {"S": "A. Customer"},
            "status": {"S": "pending"},
            "totalAmount": {"N": "12.5"},
            "createdAt": {"S": now},
            "updatedAt": {"S": now},
        },
    )


def _aws(outputs, service):
    sandbox = outputs["sandbox"]
    return boto3.client(
        service,
        endpoint_url=sandbox["endpoint"],
        region_name=sandbox["region"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def _routes(outputs):
    found = _aws(outputs, "apigatewayv2").get_routes(ApiId=outputs["sharedWebSocketApiId"])
    return {route["RouteKey"] for route in found["Items"]}


def _written(clone, outputs):
    """What a write to the cloud would move: the state, and when the Lambdas were last touched."""
    functions = _aws(outputs, "lambda").list_functions()["Functions"]
    touched = {
        each["FunctionName"]: (each["LastModified"], each["RevisionId"]) for each in functions
    }
    state = json.loads(clone.sandbox("export").stdout)["deployment"]["resources"]
    return state, touched


def _changes(done):
    assert done.returncode == 0, done.stderr
    return {
        (step["op"], step["urn"].split("::")[-1], ",".join(step["changed"]))
        for step in json.loads(done.stdout)["steps"]
        if step["op"] != "same"
    }
