"""Every step has a check; where it does not hold, the migration stops there and says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import websockets

from ops.errors import OperatorError
from ops.migrate import backup, drain, steps
from ops.migrate.apply import carry_out, roll_back
from ops.migrate.migration import CheckError, Migration
from ops.migrate.plan import STEPS, Plan, make
from sandbox.cloud import Cloud

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("migration")]


def _plan(migration: Migration) -> Plan:
    return make(migration.legacy(), migration.deployed, migration.client)


def _up_to(migration: Migration, step: str, folder: Path) -> None:
    """Carry everything out until this step would begin."""
    screen: Any = migration.screen
    screen.stop_at = f". {step}"
    with pytest.raises(KeyboardInterrupt):
        carry_out(migration, _plan(migration), folder)
    screen.stop_at = ""


def _is_stopped_at(migration: Migration, step: str) -> None:
    journal = migration.store.read()
    assert journal.doing == step
    assert step not in journal.done


def _goes_on(migration: Migration) -> None:
    carry_out(migration, None, Path())
    assert list(migration.store.read().done) == list(STEPS)


class Changed(Migration):
    """A migration whose legacy stack is not as it was; `to` says what of it is another."""

    to: dict[str, Any] = {}  # noqa: RUF012 - set per test

    def legacy(self) -> Any:
        return replace(super().legacy(), **self.to)


def _changed(migration: Migration, **to: Any) -> Changed:
    parts = {name: getattr(migration, name) for name in migration.__dataclass_fields__}
    changed = Changed(**parts)
    object.__setattr__(changed, "to", to)
    return changed


# --- backup ---------------------------------------------------------------------------------------


def test_backup_stops_where_cloudformation_would_refuse_what_comes_later(
    migration: Migration, tmp_path: Path
) -> None:
    plan = _plan(migration)
    carried = replace(plan, removals=tuple(r for r in plan.removals if r != "DefaultRoute"))
    legacy = migration.legacy()
    fewer = _changed(migration, removals=legacy.removals - {"DefaultRoute"})
    with pytest.raises(OperatorError, match="retire would remove or replace DefaultRoute"):
        carry_out(fewer, carried, tmp_path)
    _is_stopped_at(migration, "backup")
    assert not list(tmp_path.iterdir())
    assert not migration.client("cloudformation").list_change_sets(StackName=migration.stack)[
        "Summaries"
    ]


def test_backup_stops_where_it_cannot_be_written(migration: Migration, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError, match="could not be written"):
        carry_out(migration, _plan(migration), tmp_path / "file")
    _is_stopped_at(migration, "backup")


def test_backup_stops_where_it_does_not_read_as_it_was_written(
    migration: Migration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_save_rows", lambda *_: 1)
    with pytest.raises(OperatorError, match="does not read as it was written"):
        carry_out(migration, _plan(migration), tmp_path)
    _is_stopped_at(migration, "backup")


def test_nothing_begins_while_another_stack_imports_what_would_change(
    migration: Migration, tmp_path: Path
) -> None:
    plan = replace(_plan(migration), blockers=("the stack customers imports old-url",))
    with pytest.raises(OperatorError, match="customers imports old-url"):
        carry_out(migration, plan, tmp_path)
    assert not migration.store.read().plan


# --- publish --------------------------------------------------------------------------------------


def test_publish_stops_where_the_shared_side_reads_another_tables_stream(
    cloud: Cloud,
    migration: Migration,
    order_events: str,
    tmp_path: Path,
    unique: Callable[[str], str],
) -> None:
    table = unique("other")
    stream = cloud.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]["LatestStreamArn"]
    client = cloud.client("lambda")
    (right,) = client.list_event_source_mappings(FunctionName=order_events)["EventSourceMappings"]
    client.delete_event_source_mapping(UUID=right["UUID"])
    client.create_event_source_mapping(
        EventSourceArn=stream, FunctionName=order_events, StartingPosition="LATEST"
    )
    plan = _plan(migration)
    assert "OrdersMapping" not in plan.removals
    assert any("goes on reading" in note for note in plan.notes)
    with pytest.raises(
        CheckError, match=r"tells its clients of what changes in orders-.+ordersTab"
    ):
        carry_out(migration, plan, tmp_path)
    _is_stopped_at(migration, "publish")


def test_publish_stops_where_the_shared_side_has_stopped_reading(
    cloud: Cloud, migration: Migration, order_events: str, tmp_path: Path
) -> None:
    client = cloud.client("lambda")
    (mapping,) = client.list_event_source_mappings(FunctionName=order_events)["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    with pytest.raises(CheckError, match="set ordersTable"):
        carry_out(migration, _plan(migration), tmp_path)
    _is_stopped_at(migration, "publish")
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    with pytest.raises(CheckError, match="is not what was confirmed: OrdersMapping"):
        carry_out(migration, None, tmp_path)
    roll_back(migration)
    carry_out(migration, _plan(migration), tmp_path)


def test_publish_stops_where_the_shared_side_has_no_order_events_and_the_old_one_has(
    migration: Migration, tmp_path: Path
) -> None:
    without = replace(migration, deployed=replace(migration.deployed, functions={}))
    with pytest.raises(CheckError, match="clients that move would miss it"):
        carry_out(without, _plan(without), tmp_path)
    _is_stopped_at(migration, "publish")


# --- announce -------------------------------------------------------------------------------------


def test_announce_stops_where_the_stack_does_not_announce_the_shared_side(
    migration: Migration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _up_to(migration, "announce", tmp_path)
    monkeypatch.setattr(steps, "_shared_parameters", lambda _: {"SharedWebSocketUrl": "wss://x"})
    with pytest.raises(CheckError, match="does not announce"):
        carry_out(migration, None, tmp_path)
    _is_stopped_at(migration, "announce")


def test_announce_gives_the_shared_side_also_where_the_parameters_had_other_values(
    cloud: Cloud, migration: Migration, tmp_path: Path
) -> None:
    """As where somebody had written the URL without its stage."""
    _up_to(migration, "drain", tmp_path)
    kept = [p for p in migration.legacy().parameters if not p.startswith("Shared")]
    client = cloud.client("cloudformation")
    client.update_stack(
        StackName=migration.stack,
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            *({"ParameterKey": name, "UsePreviousValue": True} for name in kept),
            {"ParameterKey": "SharedWebSocketApiId", "ParameterValue": "other"},
            {"ParameterKey": "SharedWebSocketUrl", "ParameterValue": "wss://without-stage"},
        ],
    )
    client.get_waiter("stack_update_complete").wait(
        StackName=migration.stack, WaiterConfig={"Delay": 0.1}
    )
    _goes_on(migration)
    assert migration.legacy().parameters["SharedWebSocketUrl"] == migration.deployed.url


# --- drain ----------------------------------------------------------------------------------------


def test_drain_stops_while_clients_stay_who_came_since_and_goes_on_when_told_to(
    migration: Migration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _up_to(migration, "drain", tmp_path)
    monkeypatch.setattr(steps, "drain", lambda *_, **__: drain.Left(dead=1, staying=3))
    with pytest.raises(CheckError, match="3 clients came to the old API") as stopped:
        carry_out(migration, None, tmp_path)
    assert stopped.value.exit_code == 1
    _is_stopped_at(migration, "drain")
    _goes_on(replace(migration, leave_clients=True))


def test_drain_stops_where_nobody_can_tell_who_is_connected(
    migration: Migration, tmp_path: Path
) -> None:
    _up_to(migration, "drain", tmp_path)
    retired = replace(migration.legacy().retired, tables=frozenset())
    without = _changed(migration, retired=retired)
    with pytest.raises(CheckError, match="no connections table"):
        carry_out(without, None, tmp_path)
    _is_stopped_at(migration, "drain")


def test_a_table_or_an_api_that_somebody_deleted_by_hand_does_not_keep_the_rest_from_going(
    cloud: Cloud, migration: Migration, tmp_path: Path
) -> None:
    legacy = migration.legacy()
    cloud.client("dynamodb").delete_table(TableName=legacy.table())
    plan = _plan(migration)
    assert plan.connections == 0
    with pytest.raises(CheckError, match="no connections table"):
        carry_out(migration, plan, tmp_path)
    cloud.client("apigatewayv2").delete_api(ApiId=legacy.api_id())
    _goes_on(migration)


# --- retire ---------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_retire_stops_where_clients_came_back_and_drains_again(
    cloud: Cloud, migration: Migration, tmp_path: Path
) -> None:
    _up_to(migration, "retire", tmp_path)
    legacy = migration.legacy()
    base = f"ws://127.0.0.1:{cloud.port}/_aws/execute-api/{legacy.api_id()}"
    async with websockets.connect(f"{base}/{legacy.stage()}?businessId=b1"):
        with pytest.raises(CheckError, match="1 clients came to the old API since"):
            carry_out(migration, None, tmp_path)
        assert migration.legacy().api_id()
        assert "drain" not in migration.store.read().done
    _goes_on(migration)


def test_a_row_without_a_connection_does_not_keep_the_api_from_being_retired(
    cloud: Cloud, migration: Migration, tmp_path: Path
) -> None:
    _up_to(migration, "retire", tmp_path)
    row = {"PK": {"S": "CONNECTION#0123456789abcdef"}, "SK": {"S": "METADATA"}}
    cloud.client("dynamodb").put_item(TableName=migration.legacy().table(), Item=row)
    _goes_on(migration)


def test_retire_stops_where_the_shared_side_no_longer_passes(
    migration: Migration, tmp_path: Path
) -> None:
    _up_to(migration, "retire", tmp_path)
    with pytest.raises(CheckError, match="nothing was retired"):
        carry_out(replace(migration, verified=lambda: False), None, tmp_path)
    assert migration.legacy().api_id()
    _is_stopped_at(migration, "retire")
    _goes_on(migration)


# --- confirm --------------------------------------------------------------------------------------


def test_confirm_stops_where_the_stack_is_not_complete(
    migration: Migration, tmp_path: Path
) -> None:
    _up_to(migration, "confirm", tmp_path)
    with pytest.raises(CheckError, match="UPDATE_ROLLBACK_COMPLETE, not UPDATE_COMPLETE"):
        carry_out(_changed(migration, status="UPDATE_ROLLBACK_COMPLETE"), None, tmp_path)
    _is_stopped_at(migration, "confirm")
    _goes_on(migration)


def test_confirm_stops_where_a_resource_is_still_there(
    migration: Migration, tmp_path: Path
) -> None:
    _up_to(migration, "confirm", tmp_path)
    there = {**migration.legacy().physical, "DefaultRoute": "r1"}
    with pytest.raises(CheckError, match="DefaultRoute is still in"):
        carry_out(_changed(migration, physical=there), None, tmp_path)
    _is_stopped_at(migration, "confirm")


def test_confirm_stops_where_the_shared_side_does_not_pass_and_tries_more_than_once(
    migration: Migration, tmp_path: Path
) -> None:
    _up_to(migration, "confirm", tmp_path)
    tries: list[bool] = []

    def verified() -> bool:
        tries.append(True)
        return False

    with pytest.raises(CheckError, match="no longer passes"):
        carry_out(replace(migration, verified=verified), None, tmp_path)
    assert len(tries) == steps.VERIFICATIONS
    _is_stopped_at(migration, "confirm")


def test_confirm_names_whatever_still_points_at_what_is_gone(
    cloud: Cloud, migration: Migration, screen: Any, tmp_path: Path, unique: Callable[[str], str]
) -> None:
    name, api = f"/app/{unique('url')}", migration.legacy().api_id()
    cloud.client("ssm").put_parameter(Name=name, Value=f"wss://{api}.x/dev", Type="String")
    carry_out(migration, _plan(migration), tmp_path)
    assert f"  ! the parameter {name} names {api} in its value" in screen.lines


# --- between the steps ----------------------------------------------------------------------------


def test_a_migration_goes_on_only_to_the_api_that_was_confirmed(
    migration: Migration, tmp_path: Path
) -> None:
    _up_to(migration, "drain", tmp_path)
    elsewhere = replace(migration, deployed=replace(migration.deployed, api_id="other"))
    with pytest.raises(OperatorError, match="these outputs are of other"):
        carry_out(elsewhere, None, tmp_path)


def test_a_rollback_does_not_undo_what_somebody_else_deployed_unless_told_to(
    cloud: Cloud, migration: Migration, tmp_path: Path
) -> None:
    before = migration.legacy()
    _up_to(migration, "drain", tmp_path)
    text = migration.legacy().template_text.replace('"Timeout": 29', '"Timeout": 28')
    client = cloud.client("cloudformation")
    client.update_stack(
        StackName=migration.stack,
        TemplateBody=text,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": name, "UsePreviousValue": True}
            for name in migration.legacy().parameters
        ],
    )
    client.get_waiter("stack_update_complete").wait(
        StackName=migration.stack, WaiterConfig={"Delay": 0.1}
    )
    with pytest.raises(OperatorError, match="somebody deployed"):
        roll_back(migration)
    roll_back(migration, discard_changes=True)
    assert migration.legacy().template_text == before.template_text


def test_a_rollback_without_its_backup_says_where_it_is(
    migration: Migration, tmp_path: Path
) -> None:
    _up_to(migration, "drain", tmp_path)
    journal = migration.store.read()
    journal.backup = str(tmp_path / "elsewhere")
    migration.store.write(journal)
    with pytest.raises(OperatorError, match="is not on this machine"):
        roll_back(migration)
