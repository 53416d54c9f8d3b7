"""Verification of a deployed stack: what it proves, what it leaves alone, what it leaves behind."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ops.errors import OperatorError
from ops.verify.guard import Guard
from ops.verify.traces import Traces
from tests.ops.verify.stack import Stack, until

pytestmark = [
    pytest.mark.cloud,
    pytest.mark.xdist_group("verified"),
    pytest.mark.usefixtures("nothing_stays"),
]


def test_every_step_holds_each_with_its_time_and_a_last_line_that_says_so(stack: Stack) -> None:
    done = stack.run()
    *steps, last = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(steps) == 17
    assert all(line.startswith("✓ ") and " s" in line for line in steps)
    assert last.startswith("Proven: 17 steps hold (")


def test_json_is_one_object_with_all_steps(stack: Stack) -> None:
    done = stack.run("--format", "json")
    report = json.loads(done.stdout)
    assert report["passed"] is True
    assert report["url"] == stack.outputs["webSocketUrl"]
    assert {step["outcome"] for step in report["steps"]} == {"passed"}
    assert all(step["seconds"] >= 0 for step in report["steps"])


def test_a_ci_server_reads_the_failures_from_junit(stack: Stack) -> None:
    done = stack.run("--format", "junit", VERIFY_MERCHANT_TOKEN="no token")
    suite = ET.fromstring(done.stdout)
    assert done.returncode == 1
    failures = {case.get("name"): case.find("failure") for case in suite.iter("testcase")}
    failure = failures["register as the business's merchant"]
    assert failure is not None
    assert "forbidden" in failure.get("message", "")
    assert int(suite.get("failures", 0)) == sum(one is not None for one in failures.values())


def test_a_failed_step_is_named_in_the_last_line_and_in_the_exit_status(stack: Stack) -> None:
    done = stack.run(VERIFY_MERCHANT_TOKEN=stack.token("merchant2"))
    assert done.returncode == 1
    assert "✗ register as the business's merchant" in done.stdout
    assert "- connection row says merchant" in done.stdout
    assert "steps failed: register as the business's merchant;" in done.stdout.splitlines()[-1]
    assert stack.token("merchant2") not in done.stdout + done.stderr


def test_what_aws_refuses_is_a_failed_step_and_no_traceback(stack: Stack) -> None:
    done = stack.run("--without-sweep", changed={"functions": {"websocket": "nobody"}})
    assert "✗ switch off and on" in done.stdout
    assert "GetFunctionConfiguration found nothing" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_what_stands_on_a_failed_step_is_skipped(stack: Stack) -> None:
    done = stack.run(changed={"webSocketUrl": "ws://127.0.0.1:9/api/sandbox"}, NO_PROXY="*")
    outcomes = [line[0] for line in done.stdout.splitlines()[:-1]]
    assert done.returncode == 1
    assert outcomes == ["✗", *"-" * 15, "✓"]


def test_a_url_without_its_stage_is_no_url(stack: Stack) -> None:
    done = stack.run(changed={"webSocketUrl": "ws://127.0.0.1:9"})
    assert "✗ reach the API" in done.stdout
    assert "there is no stage in ws://127.0.0.1:9" in done.stdout


def test_reading_only_needs_no_token_and_writes_nothing(stack: Stack) -> None:
    done = stack.run("--read-only", VERIFY_MERCHANT_TOKEN="", VERIFY_CUSTOMER_TOKEN="")
    assert done.returncode == 0
    assert "register" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Proven: 5 steps hold")


def test_what_the_platform_serves_is_skipped_and_says_so(stack: Stack) -> None:
    ours = [route for route in stack.outputs["routes"] if not route[0].islower()]
    done = stack.run(changed={"routes": ours})
    assert done.returncode == 0
    assert "subscribe_business_status is the platform's on this stage" in done.stdout
    assert "seen by nobody" in done.stdout
    assert "heartbeat_response" not in done.stdout


def test_a_stack_without_customers_is_watched_by_somebody_unregistered(stack: Stack) -> None:
    done = stack.run(VERIFY_CUSTOMER_TOKEN="")
    assert done.returncode == 0, done.stdout
    assert "seen after" in done.stdout
    assert "not_registered" in done.stdout


def test_what_writes_where_others_read_is_left_out_on_request(stack: Stack) -> None:
    done = stack.run("--without-order", "--without-sweep")
    assert done.returncode == 0
    assert "- a new order reaches the merchant" in done.stdout
    assert "the janitor was not started" in done.stdout


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("SET isActive = :a, acceptingOrders = :b", {"a": False, "b": False}),
        ("SET isActive = :a, acceptingOrders = :b", {"a": True, "b": False}),
        ("SET isActive = :a REMOVE acceptingOrders", {"a": True}),
    ],
    ids=["closed", "half open", "one switch"],
)
def test_a_business_is_left_as_it_was_found(
    stack: Stack, expression: str, values: dict[str, bool]
) -> None:
    stack.set_business(expression, **values)
    try:
        before = stack.rows()
        assert stack.run().returncode == 0
        assert stack.rows() == before
    finally:
        stack.set_business("SET isActive = :a, acceptingOrders = :a", a=True)


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        (Stack.is_closed, signal.SIGKILL),
        (Stack.is_closed, signal.SIGTERM),
        (Stack.is_closed, signal.SIGINT),
        (Stack.has_order, signal.SIGKILL),
    ],
)
def test_ended_while_the_shop_is_closed_or_an_order_is_there_it_puts_things_back(
    stack: Stack, moment: Callable[[Stack], bool], number: signal.Signals
) -> None:
    # A moment may be over before the signal comes.
    if not any(_ended_at(stack, moment, number) != 0 for _ in range(5)):
        pytest.fail("it always came to its end before it could be stopped")


LATE = """
import sys, time
if any("multiprocessing" in argument for argument in sys.orig_argv):
    time.sleep(4)
"""
"""Python starts the process that puts things back so late that a shop would be closed by then."""


def test_who_puts_things_back_is_there_before_anything_is_changed_however_late_it_starts(
    stack: Stack, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(LATE, encoding="utf-8")
    assert _ended_at(stack, Stack.is_closed, signal.SIGKILL, PYTHONPATH=str(tmp_path)) != 0


def _ended_at(
    stack: Stack, moment: Callable[[Stack], bool], number: signal.Signals, **variables: str
) -> int:
    process = stack.start(**variables)
    until(lambda: moment(stack) or process.poll() is not None)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    assert process.stdout is not None
    sys.stdout.write(process.stdout.read())  # what it said explains a failure of this test
    return process.wait(30)


def test_without_the_process_that_puts_things_back_nothing_is_changed() -> None:
    ours, its = multiprocessing.Pipe()
    its.close()
    guard = Guard(ours)
    with pytest.raises(OperatorError, match="nothing more is changed"):
        guard.note(Traces())
    assert "has died" in guard.put_back()


@pytest.mark.parametrize("steps", [3, 5, 7, 10, 15])
def test_killed_after_any_step_it_leaves_nothing(stack: Stack, steps: int) -> None:
    process = stack.start("--without-sweep")
    assert process.stdout is not None
    for _ in range(steps):
        assert process.stdout.readline().startswith(("✓", "-"))
    process.kill()
    process.wait()
