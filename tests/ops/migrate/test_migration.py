"""A migration carried out in the sandbox: the legacy stack with clients on it, kills, rollback."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import zipfile
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import websockets

from ops.deployed import Deployed, parse
from ops.errors import OperatorError
from ops.migrate import change_set, drain
from ops.migrate.apply import carry_out, roll_back
from ops.migrate.journal import JournalStore
from ops.migrate.legacy import LegacyStack
from ops.migrate.migration import Migration
from ops.migrate.plan import STEPS, Plan, make
from sandbox import platform
from sandbox.cloud import Cloud
from sandbox.platform.legacy import ensure_legacy

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("migration")]

CLIENTS = 12


class Screen:
    """What the operator saw; `stop_at` ends the run there, as a kill would."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.stop_at = ""

    def say(self, text: str) -> None:
        self.lines.append(text)
        if self.stop_at and text.endswith(self.stop_at):
            raise KeyboardInterrupt

    @contextmanager
    def counting(self, what: str) -> Generator[Callable[[int, int | None], None]]:
        yield lambda done, total: self.say(f"{what} {done} {total}")


@pytest.fixture(autouse=True)
def _quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_set, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(drain, "POLL_SECONDS", 0.05)


@pytest.fixture
def orders(cloud: Cloud, unique: Callable[[str], str]) -> Iterator[str]:
    """The ARN of the orders' stream, of a table of this test alone."""
    table = unique("orders")
    description = cloud.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "orderId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "orderId", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    yield description["LatestStreamArn"]
    cloud.client("dynamodb").delete_table(TableName=table)


@pytest.fixture
def stack(cloud: Cloud, orders: str, unique: Callable[[str], str]) -> Iterator[str]:
    """The name of a legacy stack of this test alone."""
    name = unique("legacy")
    ensure_legacy(cloud, orders_stream_arn=orders, name=name)
    yield name
    cloud.client("cloudformation").delete_stack(StackName=name)


@pytest.fixture
def order_events(cloud: Cloud, orders: str, unique: Callable[[str], str]) -> Iterator[str]:
    """A Lambda of the shared side that reads the orders."""
    name, client = unique("order-events"), cloud.client("lambda")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): pass")
    client.create_function(
        FunctionName=name,
        Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        Role=f"arn:aws:iam::000000000000:role/{name}",
        Handler="index.handler",
        Code={"ZipFile": code.getvalue()},
    )
    mapping = client.create_event_source_mapping(
        EventSourceArn=orders, FunctionName=name, StartingPosition="LATEST"
    )
    yield name
    client.delete_event_source_mapping(UUID=mapping["UUID"])
    client.delete_function(FunctionName=name)


@pytest.fixture
def deployed(cloud: Cloud, order_events: str) -> Deployed:
    """The shared side, as a stack's outputs describe it."""
    shared = platform.ensure(cloud)
    base = f"127.0.0.1:{cloud.port}/_aws/execute-api/{shared.api_id}/{shared.stage}"
    return parse(
        {
            "sharedWebSocketApiId": shared.api_id,
            "webSocketUrl": f"ws://{base}",
            "managementEndpoint": f"http://{base}",
            "connectionsTable": "WizzUser_websocket_connections_sandbox",
            "subscriptionsTable": "WizzUser_websocket_subscriptions_sandbox",
            "routes": [],
            "functions": {"order_events": order_events},
            "sandbox": {"endpoint": cloud.endpoint, "region": cloud.region, "users": []},
        }
    )


@pytest.fixture
def migration(cloud: Cloud, deployed: Deployed, stack: str) -> Migration:
    """A migration whose verification of the shared side passes."""
    return Migration(
        deployed=deployed,
        stack=stack,
        profile=None,
        store=JournalStore(cloud.client("ssm"), stack),
        screen=Screen(),
        verified=lambda: True,
    )


def _plan(migration: Migration) -> Plan:
    return make(migration.legacy(), migration.deployed, migration.client)


def _screen(migration: Migration) -> Screen:
    assert isinstance(migration.screen, Screen)
    return migration.screen


def _resource_types(cloud: Cloud, stack: str) -> set[str]:
    resources = cloud.client("cloudformation").describe_stack_resources(StackName=stack)
    return {resource["ResourceType"] for resource in resources["StackResources"]}


RETIRED = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::DynamoDB::Table",
}


def test_the_plan_lists_what_goes_and_changes_nothing(cloud: Cloud, migration: Migration) -> None:
    before = _resource_types(cloud, migration.stack)
    plan = _plan(migration)
    assert "WebSocketApi" in plan.removals
    assert "WebSocketHandler" not in plan.removals
    assert _resource_types(cloud, migration.stack) == before
    assert not migration.store.read().plan


@pytest.mark.asyncio
async def test_clients_move_and_the_stack_loses_its_own_api(
    cloud: Cloud, migration: Migration, tmp_path: Path
) -> None:
    legacy_url = _legacy_url(cloud, migration)
    async with _clients(legacy_url, CLIENTS) as moved:
        await asyncio.to_thread(carry_out, migration, _plan(migration), tmp_path)
        urls = await asyncio.wait_for(asyncio.gather(*moved), 30)
    assert urls == [migration.deployed.url] * CLIENTS
    assert not _resource_types(cloud, migration.stack) & RETIRED
    assert migration.legacy().status == "UPDATE_COMPLETE"
    assert list(migration.store.read().done) == list(STEPS)


def test_the_backup_holds_template_parameters_and_rows(
    cloud: Cloud, migration: Migration, tmp_path: Path
) -> None:
    table = migration.legacy().table()
    cloud.client("dynamodb").put_item(
        TableName=table,
        Item={"PK": {"S": "CONNECTION#gone"}, "SK": {"S": "M"}, "businessId": {"S": "b"}},
    )
    before = migration.legacy().template_text
    carry_out(migration, _plan(migration), tmp_path)
    assert (tmp_path / "template").read_text() == before
    rows = (tmp_path / "connections.jsonl").read_text().splitlines()
    assert json.loads(rows[0])["PK"] == {"S": "CONNECTION#gone"}


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_is_killed_at_a_step_goes_on_from_there(
    cloud: Cloud, migration: Migration, tmp_path: Path, step: str
) -> None:
    plan = _plan(migration)
    screen = _screen(migration)
    screen.stop_at = f". {step}"
    with pytest.raises(KeyboardInterrupt):
        carry_out(migration, plan, tmp_path)
    assert list(migration.store.read().done) == list(STEPS[: STEPS.index(step)])
    screen.stop_at = ""
    carry_out(migration, _plan(migration), tmp_path)
    assert not _resource_types(cloud, migration.stack) & RETIRED


@pytest.mark.parametrize("step", ["publish", "drain", "retire"])
def test_a_rollback_before_retirement_puts_the_template_back(
    migration: Migration, tmp_path: Path, step: str
) -> None:
    before = migration.legacy()
    screen = _screen(migration)
    screen.stop_at = f". {step}"
    with pytest.raises(KeyboardInterrupt):
        carry_out(migration, _plan(migration), tmp_path)
    screen.stop_at = ""
    roll_back(migration)
    after = migration.legacy()
    assert after.template == before.template
    assert after.physical == before.physical
    assert migration.store.read().rolled_back


def test_a_rollback_after_retirement_says_what_it_would_take(
    migration: Migration, tmp_path: Path
) -> None:
    carry_out(migration, _plan(migration), tmp_path)
    with pytest.raises(OperatorError, match="another id and URL"):
        roll_back(migration)


def test_nothing_is_changed_when_the_shared_side_does_not_verify(
    cloud: Cloud, migration: Migration, tmp_path: Path
) -> None:
    failing = Migration(
        deployed=migration.deployed,
        stack=migration.stack,
        profile=None,
        store=migration.store,
        screen=Screen(),
        verified=lambda: False,
    )
    before = migration.legacy().template
    with pytest.raises(OperatorError, match="does not pass verification"):
        carry_out(failing, _plan(migration), tmp_path)
    assert migration.legacy().template == before


class Failed(Migration):
    """A migration whose legacy stack is in a state that no update gets it out of."""

    def legacy(self) -> LegacyStack:
        return replace(super().legacy(), status="UPDATE_ROLLBACK_FAILED")


def test_a_stack_in_a_failed_state_is_not_touched(migration: Migration, tmp_path: Path) -> None:
    failed = Failed(**{f.name: getattr(migration, f.name) for f in fields(migration)})
    with pytest.raises(OperatorError, match="UPDATE_ROLLBACK_FAILED"):
        carry_out(failed, _plan(migration), tmp_path)
    assert not migration.store.read().done
    assert not list(tmp_path.iterdir())


def test_a_resource_that_came_after_the_confirmation_is_not_deleted(
    migration: Migration, tmp_path: Path
) -> None:
    plan = _plan(migration)
    screen = _screen(migration)
    screen.stop_at = ". retire"
    with pytest.raises(KeyboardInterrupt):
        carry_out(migration, plan, tmp_path)
    journal = migration.store.read()
    journal.removals.remove("DefaultRoute")
    migration.store.write(journal)
    screen.stop_at = ""
    with pytest.raises(OperatorError, match="DefaultRoute"):
        carry_out(migration, plan, tmp_path)
    assert "DefaultRoute" in migration.legacy().template["Resources"]


def test_a_template_too_large_to_be_inline_goes_through_the_bucket(
    cloud: Cloud,
    migration: Migration,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    unique: Callable[[str], str],
) -> None:
    bucket = unique("templates")
    cloud.client("s3").create_bucket(Bucket=bucket)
    monkeypatch.setattr(change_set, "BODY_LIMIT", 1000)
    carry_out(replace(migration, template_bucket=bucket), _plan(migration), tmp_path)
    assert not _resource_types(cloud, migration.stack) & RETIRED
    kept = cloud.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert len(kept) == 2


def test_a_second_operator_is_told_who_is_at_it(migration: Migration) -> None:
    with migration.store.locked():
        second = migration.store.locked()
        with pytest.raises(OperatorError, match=r"is held by .+@.+ since"):
            second.__enter__()
        with migration.store.locked(take_over=True):
            pass
    assert migration.store.holder() is None


def test_a_run_whose_lock_was_taken_over_stops(migration: Migration, tmp_path: Path) -> None:
    other = JournalStore(migration.client("ssm"), migration.stack)
    plan = _plan(migration)
    with (
        migration.store.locked(),
        other.locked(take_over=True),
        pytest.raises(OperatorError, match=r"took the migration of .+ over"),
    ):
        carry_out(migration, plan, tmp_path)
    assert not migration.store.read().done


def test_a_stack_that_is_not_there_is_named(migration: Migration) -> None:
    absent = Migration(
        deployed=migration.deployed,
        stack="no-such-stack",
        profile=None,
        store=migration.store,
        screen=Screen(),
        verified=lambda: True,
    )
    with pytest.raises(OperatorError, match="no stack no-such-stack"):
        absent.legacy()


def _legacy_url(cloud: Cloud, migration: Migration) -> str:
    legacy = migration.legacy()
    base = f"ws://127.0.0.1:{cloud.port}/_aws/execute-api/{legacy.api_id()}"
    return f"{base}/{legacy.stage()}?businessId=b1"


@asynccontextmanager
async def _clients(url: str, count: int) -> AsyncGenerator[list[asyncio.Task[str]]]:
    """Clients on the old API that do as they are asked: each task ends with where it went."""
    sockets = [await websockets.connect(url) for _ in range(count)]
    tasks = [asyncio.create_task(_move(socket)) for socket in sockets]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for socket in sockets:
            await socket.close()


async def _move(socket: Any) -> str:
    async for text in socket:
        message = json.loads(text)
        if message["type"] == "reconnect":
            await asyncio.sleep(message["afterMs"] / 1000)
            await socket.close()
            async with websockets.connect(message["url"]):
                return str(message["url"])
    return "closed"
