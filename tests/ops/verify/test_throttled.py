"""Verification that AWS throttles: it waits a while, and takes a busy table for no broken stack."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from ops import access
from ops.__main__ import ops
from ops.deployed import parse
from ops.errors import OperatorError
from ops.verify import throttling
from ops.verify.command import passes
from tests.ops.verify.stack import Stack

pytestmark = [
    pytest.mark.cloud,
    pytest.mark.xdist_group("verified"),
    pytest.mark.usefixtures("nothing_stays"),
]


@dataclass(kw_only=True)
class Throttle:
    """Refuses so many reads of a table for their rate; the process that puts back is not meant."""

    table: str = ""
    left: int = 0
    code: str = "ProvisionedThroughputExceededException"

    def __call__(self, params: dict[str, Any], **_: object) -> tuple[object, object] | None:
        if not self.left or json.loads(params["body"])["TableName"] != self.table:
            return None
        self.left -= 1
        error = {"Error": {"Code": self.code, "Message": "says AWS"}, "ResponseMetadata": {}}
        return SimpleNamespace(status_code=400), error


@pytest.fixture
def throttle(stack: Stack) -> Iterator[Throttle]:
    access.forget()
    one = Throttle()
    client = parse(stack.outputs).client("dynamodb")
    client.meta.events.register("before-call.dynamodb.GetItem", one)
    yield one
    access.forget()


def _verify(stack: Stack, *options: str, **variables: str) -> Result:
    return CliRunner().invoke(
        ops,
        ["verify", "--outputs", "-", "--without-order", "--without-sweep", *options],
        input=json.dumps(stack.outputs),
        env={
            "VERIFY_MERCHANT_TOKEN": stack.token("merchant1"),
            "VERIFY_CUSTOMER_TOKEN": stack.token("customer1"),
            **variables,
        },
    )


@pytest.mark.parametrize(
    "code",
    [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
    ],
)
def test_what_is_throttled_for_a_while_is_asked_again(
    stack: Stack, throttle: Throttle, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(throttling.time, "sleep", lambda _: None)
    throttle.table, throttle.left, throttle.code = stack.outputs["connectionsTable"], 5, code
    done = _verify(stack)
    assert done.exit_code == 0, done.output
    assert throttle.left == 0


def test_what_is_throttled_without_end_is_told_as_that_and_not_as_a_broken_stack(
    stack: Stack, throttle: Throttle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "PATIENCE_SECONDS", 0)
    throttle.table, throttle.left = stack.outputs["connectionsTable"], 1
    done = _verify(stack)
    assert done.exit_code == 2, done.output
    lines = done.stdout.splitlines()
    (line,) = (line for line in lines if line.startswith("? "))
    assert line.startswith("? connection row says merchant ")
    assert f"GetItem of {throttle.table} was throttled" in line
    assert "*-throttles" in line
    assert lines[-1].startswith("Not proven, nor found broken: 1 of 17 steps were throttled: conn")


def test_a_broken_stack_is_not_hidden_by_a_throttled_step(
    stack: Stack, throttle: Throttle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "PATIENCE_SECONDS", 0)
    throttle.table, throttle.left = stack.outputs["connectionsTable"], 1
    outputs = {**stack.outputs, "functions": {"websocket": "nobody"}}
    broken = Stack(deployed=stack.deployed, outputs=outputs, business=stack.business)
    done = _verify(broken, "--format", "junit")
    assert done.exit_code == 1
    suite = ET.fromstring(done.stdout)
    assert suite.get("errors") == "1"
    assert int(suite.get("failures", 0)) > 0
    (error,) = (case for case in suite.iter("testcase") if case.find("error") is not None)
    assert error.get("name") == "connection row says merchant"


def test_a_program_reads_that_a_throttled_verification_has_not_passed(
    stack: Stack, throttle: Throttle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "PATIENCE_SECONDS", 0)
    throttle.table, throttle.left = stack.outputs["connectionsTable"], 1
    document = json.loads(_verify(stack, "--format", "json").stdout)
    outcomes = [step["outcome"] for step in document["steps"]]
    assert (document["passed"], outcomes.count("throttled")) == (False, 1)


def test_a_migration_that_cannot_be_verified_for_throttling_is_told_so(
    stack: Stack, throttle: Throttle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "PATIENCE_SECONDS", 0)
    monkeypatch.setenv("VERIFY_MERCHANT_TOKEN", stack.token("merchant1"))
    throttle.table, throttle.left = stack.outputs["connectionsTable"], 1
    with pytest.raises(OperatorError, match="connection row says merchant: GetItem of"):
        passes(
            parse(stack.outputs),
            canary=None,
            other_business=None,
            token_command=None,
            profile=None,
        )


@pytest.mark.parametrize(("refusals", "exit_code"), [(1, 1), (10**6, 2)])
def test_an_api_that_lets_nobody_in_for_now_is_asked_again(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, refusals: int, exit_code: int
) -> None:
    """One that then lets us in and says nothing is broken; one that never does is busy."""
    left = [refusals]

    def refuse(socket: ServerConnection, _: Request) -> Response | None:
        if not left[0]:
            return None
        left[0] -= 1
        return socket.respond(HTTPStatus.TOO_MANY_REQUESTS, "Too Many Requests")

    monkeypatch.setattr(throttling, "PATIENCE_SECONDS", 30 if exit_code == 1 else 0)
    monkeypatch.setattr(throttling.random, "uniform", lambda *_: 0)
    with serve(lambda socket: socket.close(), "127.0.0.1", 0, process_request=refuse) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/dev"
            outputs = json.dumps({**stack.outputs, "webSocketUrl": url})
            arguments = ["verify", "--read-only", "--outputs", "-"]
            done = CliRunner().invoke(ops, arguments, input=outputs)
        finally:
            server.shutdown()
            thread.join()
    assert done.exit_code == exit_code, done.output
    assert ("a new connection to ws://127.0.0.1" in done.stdout) == (exit_code == 2)
