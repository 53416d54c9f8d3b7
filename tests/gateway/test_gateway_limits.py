"""The gateway keeps to what API Gateway documents about a WebSocket API's limits."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.gateway import limits
from tests.gateway.devices import Device
from tests.gateway.routes import Route
from tests.gateway.server import Gateway


def echo(event: dict[str, Any], _context: object) -> dict[str, Any]:
    body = {"type": "ECHO", "routeKey": event["requestContext"]["routeKey"], "size": 0}
    body["size"] = len(event["body"])
    return {"statusCode": 200, "body": json.dumps(body)}


def accept(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    return {"statusCode": 200}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    routes = {
        "$connect": Route(handler=accept),
        "$disconnect": Route(handler=accept),
        "$default": Route(handler=echo, two_way=True),
        "heard": Route(handler=echo, two_way=True),
        "silent": Route(handler=echo),
    }
    with Gateway(routes=routes) as running:
        yield running


def test_a_message_of_128_kb_in_small_frames_arrives(gateway: Gateway) -> None:
    with Device(url=gateway.url) as device:
        device.send_raw("x" * limits.MESSAGE_BYTES)
        assert device.expect("ECHO")["size"] == limits.MESSAGE_BYTES


def test_a_message_over_128_kb_closes_with_1009(gateway: Gateway) -> None:
    with Device(url=gateway.url) as device:
        device.send_raw("x" * (limits.MESSAGE_BYTES + 1))
        assert device.wait_closed()[0] == 1009


def test_a_frame_over_32_kb_closes_with_1009(gateway: Gateway) -> None:
    with Device(url=gateway.url) as device:
        device.send_raw("x" * (limits.FRAME_BYTES + 1), frame=limits.MESSAGE_BYTES)
        assert device.wait_closed()[0] == 1009


def test_a_frame_of_32_kb_arrives(gateway: Gateway) -> None:
    with Device(url=gateway.url) as device:
        device.send_raw("x" * limits.FRAME_BYTES)
        assert device.expect("ECHO")["size"] == limits.FRAME_BYTES


def test_a_binary_frame_closes_with_1003_and_reaches_no_lambda(gateway: Gateway) -> None:
    with Device(url=gateway.url) as device:
        device.send_raw(b'{"action": "heard"}')
        assert device.wait_closed()[0] == 1003
    assert [call.route_key for call in gateway.invocations if call.route_key == "heard"] == []


def test_a_connection_that_is_idle_for_ten_minutes_is_closed(gateway: Gateway) -> None:
    with Device(url=gateway.url) as quiet, Device(url=gateway.url) as lively:
        gateway.clock.advance(limits.IDLE_SECONDS - 1)
        lively.send("heard")
        lively.expect("ECHO")
        gateway.clock.advance(1)
        assert quiet.wait_closed()[0] == 1001
        assert len(gateway.live_connections()) == 1


def test_a_connection_ends_after_two_hours_however_lively(gateway: Gateway) -> None:
    with Device(url=gateway.url) as device:
        for _ in range(14):
            gateway.clock.advance(limits.IDLE_SECONDS - 100)
            device.ask_plain("heard")
        gateway.clock.advance(limits.LIFETIME_SECONDS - 14 * (limits.IDLE_SECONDS - 100))
        assert device.wait_closed() == (1001, "Going away")
    assert [c.event["requestContext"]["disconnectStatusCode"] for c in disconnects(gateway)] == [
        1001
    ]


def test_a_lost_disconnect_is_never_called(gateway: Gateway) -> None:
    gateway.faults.lose_disconnects = True
    with Device(url=gateway.url):
        connection_id = gateway.live_connections()[0]
    gateway.wait_gone(connection_id)
    assert disconnects(gateway) == []


def test_a_cut_connection_disconnects_with_1006(gateway: Gateway) -> None:
    with Device(url=gateway.url):
        connection_id = gateway.live_connections()[0]
        gateway.cut(connection_id)
        gateway.wait_gone(connection_id)
    assert disconnects(gateway)[0].event["requestContext"]["disconnectStatusCode"] == 1006


def test_two_messages_of_one_socket_run_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=10)

    def meet(_event: dict[str, Any], _context: object) -> dict[str, Any]:
        both.wait()
        return {"statusCode": 200, "body": '{"type": "MET"}'}

    with (
        Gateway(routes={"$default": Route(handler=meet, two_way=True)}) as gateway,
        Device(url=gateway.url) as device,
    ):
        device.send("a")
        device.send("b")
        device.wait(lambda _: len(device.events("MET")) == 2, "two answers")
        assert gateway.crashes == []


def test_a_wrong_stage_is_forbidden(gateway: Gateway) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        Device(url=gateway.url.removesuffix(gateway.stage)),
    ):
        pass
    assert refused.value.response.status_code == 403


def disconnects(gateway: Gateway) -> list[Any]:
    gateway.settle()
    return [call for call in gateway.invocations if call.route_key == "$disconnect"]
