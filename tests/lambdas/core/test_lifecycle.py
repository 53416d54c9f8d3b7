"""Lifecycle routes that the platform handed over: what is foreign goes on to the platform."""

import io
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from lambdas import clients, websocket
from lambdas.catalogue import Env
from tests.gateway.backend import Backend
from tests.gateway.devices import Device
from tests.gateway.events import LambdaContext

pytestmark = pytest.mark.cloud


@dataclass
class FormerFunctions:
    """The Lambda client, as far as it is used; the platform's Lambdas answer with their name."""

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    fails: bool = False
    silent: bool = False

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        self.events.append((FunctionName, json.loads(Payload)))
        if self.silent:
            raise ConnectTimeoutError(endpoint_url="https://lambda")
        if self.fails:
            secret = json.dumps({"errorMessage": "secret-detail-xyz"}).encode()
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(secret)}
        answer = {"statusCode": 200, "body": json.dumps({"by": FunctionName})}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


@pytest.fixture
def former(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> FormerFunctions:
    functions = FormerFunctions()
    monkeypatch.setattr(clients, "functions", lambda: functions)
    names = {route: f"platform-{route[1:]}" for route in ("$connect", "$disconnect", "$default")}
    monkeypatch.setenv(Env.FORMER_FUNCTIONS, json.dumps(names))
    return functions


def event(device: Device, route_key: str, body: str | None = None) -> dict[str, Any]:
    context = {
        "connectionId": device.connection_id,
        "routeKey": route_key,
        "requestId": "r",
        "connectedAt": 0,
    }
    return {"requestContext": context, "body": body, "isBase64Encoded": False}


def serve(event: dict[str, Any]) -> dict[str, Any]:
    return dict(websocket.handler(event, LambdaContext(function_name="websocket")))


@pytest.mark.parametrize(
    "body",
    [
        '{"action": "driver_location_update", "latitude": 33.3}',
        "not json",
        '{"type": "authenticate"}',
        '{"action": "x", "text": "' + "x" * 20_000 + '"}',
    ],
)
def test_what_is_foreign_is_passed_on_as_it_came(
    backend: Backend, former: FormerFunctions, body: str
) -> None:
    foreign = event(backend.device(), "$default", body)
    assert json.loads(serve(foreign)["body"]) == {"by": "platform-default"}
    assert former.events == [("platform-default", foreign)]


def test_ours_is_served_also_on_default(backend: Backend, former: FormerFunctions) -> None:
    answer = serve(event(backend.device(), "$default", '{"type": "PING"}'))
    assert json.loads(answer["body"])["type"] == "PONG"
    assert former.events == []


def test_ours_but_wrong_is_refused_and_not_passed_on(
    backend: Backend, former: FormerFunctions
) -> None:
    answer = serve(event(backend.device(), "$default", '{"type": "SUBSCRIBE_ORDERS"}'))
    assert json.loads(answer["body"])["code"] == "invalid"
    assert former.events == []


def test_on_a_route_of_ours_nothing_is_passed_on(backend: Backend, former: FormerFunctions) -> None:
    answer = serve(event(backend.device(), "PING", "not json"))
    assert json.loads(answer["body"])["code"] == "invalid"
    assert former.events == []


@pytest.mark.parametrize("trouble", ["fails", "silent"])
def test_when_the_platform_fails_its_words_do_not_reach_the_client(
    backend: Backend, former: FormerFunctions, trouble: str
) -> None:
    setattr(former, trouble, True)
    answer = serve(event(backend.device(), "$default", '{"action": "foreign"}'))
    assert json.loads(answer["body"])["code"] == "unavailable"
    assert "secret" not in answer["body"]


def test_the_platform_decides_who_connects(backend: Backend, former: FormerFunctions) -> None:
    device = backend.device()
    assert serve(event(device, "$connect"))["body"] == '{"by": "platform-connect"}'
    former.fails = True
    assert serve(event(device, "$connect")) == {"statusCode": 500}


@pytest.mark.parametrize("trouble", [None, "fails", "silent"])
def test_a_disconnect_takes_our_rows_along_whatever_the_platform_does(
    backend: Backend, former: FormerFunctions, trouble: str | None
) -> None:
    backend.business("b1", owner="m1")
    device, other = backend.merchant("m1", "b1"), backend.merchant("m1", "b1")
    for one in (device, other):
        one.ask("SUBSCRIBE_ORDERS", businessId="b1")
        one.ask("subscribe_business_status", businessId="b1")
    if trouble:
        setattr(former, trouble, True)
    assert serve(event(device, "$disconnect"))["statusCode"] == 200
    assert former.events[0][0] == "platform-disconnect"
    assert backend.subscriptions_of(device) == []
    assert len(backend.subscriptions_of(other)) == 2
