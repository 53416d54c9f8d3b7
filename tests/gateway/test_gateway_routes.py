"""Which Lambda a message reaches, what becomes of its answer, what a client sees of a failure."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.gateway.devices import Device, until
from tests.gateway.events import Handshake
from tests.gateway.routes import Route, select_route
from tests.gateway.server import Gateway


def say(text: str) -> Any:
    return lambda _event, _context: {"statusCode": 200, "body": json.dumps({"type": text})}


def fail(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    raise RuntimeError("secret detail")


ROUTES = {
    "$default": Route(handler=say("default"), two_way=True),
    "PING": Route(handler=say("pong"), two_way=True),
}


@pytest.mark.parametrize(
    ("body", "route_key"),
    [
        ('{"action": "PING"}', "PING"),
        ('{"action": "ping"}', "$default"),
        ('{"action": "$connect"}', "$default"),
        ('{"action": 1}', "$default"),
        ('{"action": ["PING"]}', "$default"),
        ('{"type": "PING"}', "$default"),
        ('["PING"]', "$default"),
        ("PING", "$default"),
        ("", "$default"),
        ("[" * 100_000, "$default"),
    ],
)
def test_the_action_of_a_json_object_chooses_the_route(body: str, route_key: str) -> None:
    assert select_route(ROUTES, body) == route_key


def test_an_answer_reaches_the_client_only_on_a_two_way_route() -> None:
    routes = {**ROUTES, "silent": Route(handler=say("unheard"))}
    with Gateway(routes=routes) as gateway, Device(url=gateway.url) as device:
        device.send("silent")
        gateway_answers(gateway, 1)
        device.send("PING")
        device.expect("pong")
        assert [m["type"] for m in device.inbox] == ["pong"]


def test_an_exception_becomes_a_message_that_tells_nothing() -> None:
    with (
        Gateway(routes={"$default": Route(handler=fail)}) as gateway,
        Device(url=gateway.url) as device,
    ):
        device.send("x")
        answer = device.wait(lambda m: "message" in m)
        assert answer["message"] == "Internal server error"
        assert set(answer) == {"message", "connectionId", "requestId"}
        assert len(gateway.crashes) == 1


@pytest.mark.parametrize(
    "result", [None, {"body": "x"}, {"statusCode": "200"}, {"statusCode": 200, "body": {}}]
)
def test_an_answer_that_aws_cannot_read_counts_as_a_failure(result: object) -> None:
    routes = {"$default": Route(handler=lambda _e, _c: result, two_way=True)}
    with Gateway(routes=routes) as gateway, Device(url=gateway.url) as device:
        device.send("x")
        device.wait(lambda m: m.get("message") == "Internal server error")


def test_an_unknown_route_without_default_is_forbidden() -> None:
    routes = {"PING": ROUTES["PING"]}
    with Gateway(routes=routes) as gateway, Device(url=gateway.url) as device:
        device.send("other")
        device.wait(lambda m: m.get("message") == "Forbidden")


@pytest.mark.parametrize(
    ("handler", "status"), [(lambda _e, _c: {"statusCode": 401}, 401), (fail, 502)]
)
def test_a_refusing_connect_route_refuses_the_upgrade(handler: Any, status: int) -> None:
    with (
        Gateway(routes={"$connect": Route(handler=handler)}) as gateway,
        pytest.raises(InvalidStatus) as refused,
        Device(url=gateway.url),
    ):
        pass
    assert refused.value.response.status_code == status


def test_what_an_authorizer_gives_arrives_as_text_with_every_message() -> None:
    def authorize(handshake: Handshake) -> Mapping[str, object] | None:
        known = handshake.query.get("ticket") == ["good"]
        return {"sub": "m1", "admin": True, "level": 3} if known else None

    def show(event: dict[str, Any], _context: object) -> dict[str, Any]:
        return {"statusCode": 200, "body": json.dumps(event["requestContext"]["authorizer"])}

    routes = {"$default": Route(handler=show, two_way=True)}
    with Gateway(routes=routes, authorizer=authorize) as gateway:
        with pytest.raises(InvalidStatus), Device(url=gateway.url):
            pass
        with Device(url=gateway.url, query={"ticket": "good"}) as device:
            device.send("x")
            shown = device.wait(lambda m: "sub" in m)
            assert (shown["sub"], shown["admin"], shown["level"]) == ("m1", "true", "3")


def gateway_answers(gateway: Gateway, number: int) -> None:
    until(lambda: len(gateway.invocations) >= number)
