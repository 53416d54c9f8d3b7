"""A handler whose environment is wrong, or whose AWS calls fail: the client, the log, the alarm."""

import json
from typing import Any

import pytest

from lambdas import websocket
from lambdas.catalogue import Env
from tests.gateway.backend import Backend
from tests.gateway.calls import Refusal
from tests.gateway.events import LambdaContext


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def faults(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if "Faults" in line]


def test_without_its_configuration_every_message_is_unavailable(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    device = backend.device()
    monkeypatch.setenv(Env.USER_POOLS, "not JSON")
    capsys.readouterr()
    answer = device.ask("PING")
    assert (answer["type"], answer["code"]) == ("ERROR", "unavailable")
    assert answer["originalType"] == "PING"
    assert answer["retryAfterMs"] > 0
    backend.gateway.settle()
    lines = logged(capsys)
    reasons = [line for line in lines if line.get("level") == "ERROR"]
    assert [line["where"] for line in reasons] == ["USER_POOLS"]
    assert "not JSON" not in str(lines)
    assert [line["Faults"] for line in faults(lines)] == [1]


@pytest.mark.parametrize(("route_key", "status"), [("$connect", 500), ("$disconnect", 200)])
def test_without_its_configuration_nobody_is_let_in(
    monkeypatch: pytest.MonkeyPatch, route_key: str, status: int
) -> None:
    monkeypatch.delenv(Env.BUSINESSES_TABLE, raising=False)
    event = {"requestContext": {"routeKey": route_key, "connectionId": "c="}}
    context = LambdaContext(function_name="websocket")
    assert websocket.handler(event, context) == {"statusCode": status}


def test_also_what_cannot_be_read_is_answered_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Env.IDENTITY_MODE, "trust")
    event = {"requestContext": {"routeKey": "PING", "connectionId": "c="}, "body": "["}
    answer = websocket.handler(event, LambdaContext(function_name="websocket"))
    assert json.loads(answer["body"])["code"] == "unavailable"


def test_what_fails_on_our_side_is_counted_and_what_the_client_did_wrong_is_not(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    device = backend.device()
    device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.gateway.settle()
    assert faults(logged(capsys)) == []
    backend.calls.refuse = lambda _call, _number: Refusal(
        code="ValidationException", members={"Message": "x"}
    )
    assert device.ask("HEARTBEAT")["code"] == "unavailable"
    backend.gateway.settle()
    (fault,) = faults(logged(capsys))
    assert (fault["entityType"], fault["eventType"]) == ("all", "all")
