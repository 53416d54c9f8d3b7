"""A migration carried out in the sandbox: the legacy stack with clients on it, kills, rollback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import websockets

from ops.errors import OperatorError
from ops.migrate import change_set
from ops.migrate.apply import carry_out, roll_back
from ops.migrate.journal import JournalStore
from ops.migrate.legacy import LegacyStack, read
from ops.migrate.migration import Migration
from ops.migrate.plan import STEPS, Plan, make
from sandbox.cloud import Cloud

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("migration")]

CLIENTS = 12


def _plan(migration: Migration) -> Plan:
    return make(migration.legacy(), migration.deployed, migration.client)


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
    saved = Path(migration.store.read().backup)
    assert saved.parent == tmp_path
    assert (saved / "template").read_text() == before
    rows = (saved / "connections.jsonl").read_text().splitlines()
    assert json.loads(rows[0])["PK"] == {"S": "CONNECTION#gone"}


def test_a_plan_that_somebody_else_has_carried_out_meanwhile_is_not_carried_out_again(
    migration: Migration, tmp_path: Path
) -> None:
    plan = _plan(migration)
    carry_out(migration, plan, tmp_path)
    before = migration.store.read()
    with pytest.raises(OperatorError, match="changed since this plan was made"):
        carry_out(migration, plan, tmp_path)
    assert migration.store.read() == before


@pytest.mark.parametrize("step", STEPS)
def test_a_run_that_is_killed_at_a_step_goes_on_from_there(
    cloud: Cloud, migration: Migration, tmp_path: Path, step: str
) -> None:
    plan = _plan(migration)
    screen: Any = migration.screen
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
    screen: Any = migration.screen
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
    failing = replace(migration, verified=lambda: False)
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
    screen: Any = migration.screen
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


def test_a_stack_that_is_not_there_is_named_with_where_it_was_looked_for_and_the_ways_out(
    migration: Migration,
) -> None:
    absent = replace(migration, stack="no-such-stack")
    with pytest.raises(OperatorError, match="no stack no-such-stack in the sandbox at http://"):
        absent.legacy()
    account = "account 222222222222, region eu-west-1"
    with pytest.raises(OperatorError) as refusal:
        read(migration.client, "no-such-stack", frozenset(), where=account)
    said = refusal.value.message
    assert f"no stack no-such-stack in {account}: " in said
    for way in ("--legacy-stack", "--stack", "--outputs", "AWS_REGION", "--profile", "AWS_PROFILE"):
        assert way in said


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
