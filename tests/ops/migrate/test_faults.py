"""Throttling, Ctrl-C and kills: nothing is lost, status shows it, and the next run goes on."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.endpoint
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from ops.__main__ import ops
from ops.deployed import Deployed
from ops.migrate import command
from ops.migrate.apply import carry_out, roll_back
from ops.migrate.migration import Migration
from ops.migrate.plan import STEPS, Plan, make
from sandbox.cloud import Cloud

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("migration")]


def _plan(migration: Migration) -> Plan:
    return make(migration.legacy(), migration.deployed, migration.client)


def _types(cloud: Cloud, stack: str) -> set[str]:
    resources = cloud.client("cloudformation").describe_stack_resources(StackName=stack)
    return {resource["ResourceType"] for resource in resources["StackResources"]}


class Throttled:
    """The clients of a stack, of which one call fails once, at a moment of choice."""

    def __init__(self, deployed: Deployed, fails: Callable[[str], bool]) -> None:
        self._deployed = deployed
        self._fails = fails
        self.failed = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._deployed, name)

    def client(self, service: str, **options: Any) -> Any:
        return _Client(self, self._deployed.client(service, **options))

    def through(self, call: str) -> None:
        if not self.failed and self._fails(call):
            self.failed = call
            error = {"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}
            raise ClientError(error, call)


class _Client:
    def __init__(self, throttled: Throttled, client: Any) -> None:
        self._throttled = throttled
        self._client = client

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._client, name)
        if not callable(real) or name == "can_paginate":
            return real

        def call(*given: Any, **named: Any) -> Any:
            self._throttled.through(given[0] if name == "get_paginator" else name)
            return real(*given, **named)

        return call


@pytest.fixture
def with_faults(migration: Migration, screen: Any) -> Callable[..., tuple[Migration, Throttled]]:
    """Give a migration whose nth AWS call within a step fails."""

    def build(step: str, number: int) -> tuple[Migration, Throttled]:
        seen = 0

        def fails(_: str) -> bool:
            nonlocal seen
            if not any(line.endswith(f". {step}") for line in screen.lines):
                return False
            seen += 1
            return seen == number

        throttled = Throttled(migration.deployed, fails)
        parts = {name: getattr(migration, name) for name in migration.__dataclass_fields__}
        return Migration(**parts | {"deployed": throttled}), throttled

    return build


@pytest.mark.parametrize("number", [1, 6])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_whose_call_is_throttled_is_shown_as_begun_and_goes_on(
    with_faults: Callable[..., tuple[Migration, Throttled]],
    cloud: Cloud,
    migration: Migration,
    tmp_path: Path,
    step: str,
    number: int,
) -> None:
    faulty, throttled = with_faults(step, number)
    with pytest.raises(ClientError, match="Rate exceeded"):
        carry_out(faulty, _plan(migration), tmp_path)
    assert throttled.failed
    journal = migration.store.read()
    before = STEPS.index(journal.doing)
    assert before >= STEPS.index(step)
    assert list(journal.done) == list(STEPS[:before])
    carry_out(migration, None, tmp_path)
    assert list(migration.store.read().done) == list(STEPS)
    assert not [kind for kind in _types(cloud, migration.stack) if "ApiGatewayV2" in kind]


@pytest.mark.parametrize("number", range(1, 14))
def test_a_note_that_cannot_be_written_costs_a_repeated_step_and_nothing_more(
    cloud: Cloud,
    migration: Migration,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    plan, writes = _plan(migration), 0
    put = migration.store._put

    def throttled(*given: Any, **named: Any) -> None:
        nonlocal writes
        writes += 1
        if writes == number:
            error = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
            raise ClientError(error, "PutParameter")
        put(*given, **named)

    monkeypatch.setattr(migration.store, "_put", throttled)
    with pytest.raises(ClientError, match="PutParameter"):
        carry_out(migration, plan, tmp_path)
    carry_out(migration, None if migration.store.read().plan else plan, tmp_path)
    assert list(migration.store.read().done) == list(STEPS)
    assert not [kind for kind in _types(cloud, migration.stack) if "ApiGatewayV2" in kind]


@pytest.mark.parametrize("number", [1, 3, 5, 8])
def test_a_rollback_that_is_throttled_is_finished_by_the_next(
    migration: Migration, screen: Any, tmp_path: Path, number: int
) -> None:
    before = migration.legacy()
    screen.stop_at = ". drain"
    with pytest.raises(KeyboardInterrupt):
        carry_out(migration, _plan(migration), tmp_path)
    screen.stop_at, calls = "", 0

    def fails(_: str) -> bool:
        nonlocal calls
        calls += 1
        return calls == number

    parts = {name: getattr(migration, name) for name in migration.__dataclass_fields__}
    with pytest.raises(ClientError):
        roll_back(Migration(**parts | {"deployed": Throttled(migration.deployed, fails)}))
    assert not migration.store.read().rolled_back
    roll_back(migration)
    after = migration.legacy()
    assert (after.template, after.physical) == (before.template, before.physical)
    assert migration.store.read().rolled_back


# --- From the command line ------------------------------------------------------------------------


@contextmanager
def _throttling(client: Any, call: str, times: int | None) -> Generator[list[str]]:
    """AWS itself throttles a call, `times` or for ever; botocore's retries see it."""
    refused: list[str] = []

    def answer(**_: Any) -> AWSResponse | None:
        if times is not None and len(refused) >= times:
            return None
        refused.append(call)
        text = (
            "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error>"
            "</ErrorResponse>"
        )
        raw = types.SimpleNamespace(stream=lambda: iter((text.encode(),)))
        return AWSResponse("http://127.0.0.1", 400, {}, raw)

    event = f"before-send.cloudformation.{call}"
    client.meta.events.register(event, answer)
    try:
        yield refused
    finally:
        client.meta.events.unregister(event, answer)


@pytest.fixture
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Botocore's waits between its tries, noted and not waited."""
    waited: list[float] = []
    monkeypatch.setattr(botocore.endpoint, "time", types.SimpleNamespace(sleep=waited.append))
    return waited


def _ops(step: str, outputs: Path, stack: str, *options: str) -> Result:
    arguments = ["migrate", step, "--outputs", str(outputs), "--legacy-stack", stack, *options]
    return CliRunner().invoke(ops, arguments)


def test_a_call_that_is_throttled_for_a_moment_is_tried_again(
    migration: Migration, stack: str, outputs_file: Path, without_waiting: list[float]
) -> None:
    with _throttling(migration.client("cloudformation"), "DescribeStacks", 2):
        planned = _ops("plan", outputs_file, stack)
    assert planned.exit_code == 0, planned.output
    assert len(without_waiting) == 2


@pytest.mark.usefixtures("without_waiting")
def test_throttling_without_end_names_the_call_and_what_to_do(
    migration: Migration, stack: str, outputs_file: Path
) -> None:
    with _throttling(migration.client("cloudformation"), "ListStackResources", None) as refused:
        planned = _ops("plan", outputs_file, stack)
    assert planned.exit_code == 2
    assert "ListStackResources was throttled" in planned.output
    assert "run the command again" in planned.output
    assert len(refused) > 2


class Interrupted(command.Terminal):
    """A terminal at which Ctrl-C is pressed when a count of this kind is shown."""

    at = ""

    @contextmanager
    def counting(self, what: str) -> Generator[Callable[[int, int | None], None]]:
        with super().counting(what) as count:

            def stop(done: int, total: int | None) -> None:
                count(done, total)
                if what == self.at:
                    raise KeyboardInterrupt

            yield stop


@pytest.mark.parametrize(
    ("what", "step"),
    [("rows saved", "backup"), ("resources updated", "announce"), ("clients moved", "drain")],
)
def test_ctrl_c_in_a_long_step_says_where_it_stopped_and_the_next_run_goes_on(
    migration: Migration,
    outputs_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    what: str,
    step: str,
) -> None:
    stack = migration.stack
    monkeypatch.setattr(command, "passes", lambda *_, **__: True)
    monkeypatch.setattr(command, "Terminal", Interrupted)
    monkeypatch.setattr(Interrupted, "at", what)
    folder = ("--yes", "--backup-dir", str(tmp_path / "backup"))
    stopped = _ops("apply", outputs_file, stack, *folder)
    assert stopped.exit_code == 130
    assert f"stopped in {step}; migrate apply goes on from there" in stopped.output
    assert "Traceback" not in stopped.output
    shown = _ops("status", outputs_file, stack).output
    assert f"{step:<9} begun at" in shown
    assert "nobody is at it" in shown
    monkeypatch.setattr(Interrupted, "at", "")
    assert _ops("apply", outputs_file, stack, *folder).exit_code == 0
    status = json.loads(_ops("status", outputs_file, stack, "--json").output)
    assert list(status["journal"]["done"]) == list(STEPS)
    assert not status["legacyApi"]


def test_ctrl_c_while_resources_leave_leaves_the_update_to_cloudformation(
    migration: Migration,
    screen: Any,
    outputs_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    screen.stop_at = ". retire"
    with pytest.raises(KeyboardInterrupt):
        carry_out(migration, _plan(migration), tmp_path)
    monkeypatch.setattr(command, "passes", lambda *_, **__: True)
    monkeypatch.setattr(command, "Terminal", Interrupted)
    monkeypatch.setattr(Interrupted, "at", "resources updated")
    stopped = _ops("apply", outputs_file, migration.stack)
    assert stopped.exit_code == 130
    assert "an update that CloudFormation has begun goes on by itself" in stopped.output
    assert "rollback" not in stopped.output.splitlines()[-1]
    monkeypatch.setattr(Interrupted, "at", "")
    assert _ops("apply", outputs_file, migration.stack).exit_code == 0


def test_a_backup_that_is_interrupted_leaves_no_half_a_file(
    migration: Migration, screen: Any, tmp_path: Path
) -> None:
    screen.stop_at = "rows saved 0 0"
    with pytest.raises(KeyboardInterrupt):
        carry_out(migration, _plan(migration), tmp_path)
    saved = Path(migration.store.read().backup)
    assert {file.name for file in saved.iterdir()} == {"template", "stack.json"}
