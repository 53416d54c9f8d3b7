"""Whatever bytes a client sends, it gets an ERROR with a code; nothing is written or broken."""

import json

import pytest

from tests.gateway import limits
from tests.gateway.backend import Backend
from tests.lambdas.attack.refusals import refuse, refuse_raw


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        "hello",
        "null",
        "[]",
        '"PING"',
        "42",
        "{",
        '{"action": "PING"} trailing',
        '{"action": "PING", "action": "PING"}',
        '{"action": "PING", "x": {"a": 1, "a": 2}}',
        '{"action": "PING", "x": NaN}',
        '{"action": "PING", "x": Infinity}',
        '{"action": "PING", "x": -Infinity}',
        '{"action": "PING", "x": 1e999}',
        '{"action": "PING", "x": ' + "9" * 5000 + "}",
        '{"action": "PING", "requestId": 9007199254740993}',
        '{"action": "PING", "requestId": -1}',
        '{"action": "PING", "requestId": 1.5}',
        '{"action": "PING", "requestId": ""}',
        '{"action": "PING", "requestId": ["x"]}',
        '{"action": "PING", "requestId": true}',
        '{"action": "PING", "x": "\\ud800"}',
        '{"action": "PING", "\\udfff": 1}',
        '{"action": "PING", "requestId": "\\ud83d"}',
        '{"action": "PING", "x": ' + "[" * 500 + "]" * 500 + "}",
        '{"action": "PING", "x": ' + '{"a":' * 500 + "1" + "}" * 500 + "}",
        "[" * 8000,
        '{"action": 5}',
        '{"action": null}',
        '{"action": ""}',
        '{"action": {"a": 1}}',
        '{"type": []}',
        "{}",
        "\ufeff{}",
    ],
)
def test_a_text_that_means_nothing_certain_is_invalid(open_backend: Backend, body: str) -> None:
    device = open_backend.device()
    refuse_raw(open_backend, device, "invalid", body)
    assert device.ask("PING")["type"] == "PONG"


@pytest.mark.parametrize("action", ["launch_missiles", "$connect", "ping", "x" * 60, "SCAN"])
def test_an_unknown_action_is_named_as_such(open_backend: Backend, action: str) -> None:
    refuse(open_backend, open_backend.device(), "unknown_action", action)


def test_a_message_of_128_kb_is_too_large_and_the_socket_lives(open_backend: Backend) -> None:
    device = open_backend.device()
    head = '{"action": "PING", "x": "'
    body = head + "x" * (limits.MESSAGE_BYTES - len(head) - 2) + '"}'
    assert len(body) == limits.MESSAGE_BYTES
    refuse_raw(open_backend, device, "too_large", body)
    assert device.ask("PING")["type"] == "PONG"


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_the_edge_of_a_frame_is_too_large_however_it_is_cut(
    open_backend: Backend, extra: int
) -> None:
    device = open_backend.device()
    head = '{"action": "PING", "x": "'
    body = head + "x" * (limits.FRAME_BYTES + extra - len(head) - 2) + '"}'
    refuse_raw(open_backend, device, "too_large", body)


def test_our_own_limit_counts_bytes_not_characters(open_backend: Backend) -> None:
    from lambdas.envelope import SIZE_LIMIT

    def message(size: int) -> str:
        head, tail = '{"action": "PING", "x": "', '"}'
        room = size - len(head) - len(tail)
        return head + "م" * (room // 2) + "x" * (room % 2) + tail

    device = open_backend.device()
    assert len(message(SIZE_LIMIT + 1).encode()) == SIZE_LIMIT + 1
    refuse_raw(open_backend, device, "too_large", message(SIZE_LIMIT + 1))
    device.send_raw(message(SIZE_LIMIT))
    device.expect("PONG")


def test_a_message_over_128_kb_ends_the_socket_and_reaches_no_lambda(
    open_backend: Backend,
) -> None:
    device = open_backend.device()
    calls = len(open_backend.gateway.invocations)
    device.send_raw("x" * (limits.MESSAGE_BYTES + 1))
    assert device.wait_closed()[0] == 1009
    open_backend.gateway.wait_gone(device.connection_id)
    reached = [c.route_key for c in open_backend.gateway.invocations[calls:]]
    assert reached == ["$disconnect"]


def test_a_binary_frame_ends_the_socket(open_backend: Backend) -> None:
    device = open_backend.device()
    device.send_raw(b'{"action": "PING"}')
    assert device.wait_closed()[0] == 1003


@pytest.mark.parametrize("encoded", [True, False])
def test_a_body_that_is_no_text_is_invalid(open_backend: Backend, encoded: bool) -> None:
    """What AWS would hand over if it ever took binary frames."""
    from lambdas import websocket
    from tests.gateway.events import LambdaContext

    device = open_backend.device()
    device.ask("PING")
    event = dict(open_backend.gateway.invocations[-1].event)
    for body in ("eyJhY3Rpb24iOiAiUElORyJ9", None):
        if not encoded and body is not None:
            continue
        event |= {"isBase64Encoded": encoded, "body": body}
        answer = websocket.handler(event, LambdaContext(function_name="websocket"))
        assert json.loads(answer["body"])["code"] == "invalid"


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("REGISTER_CONNECTION", {"token": 5}),
        ("REGISTER_CONNECTION", {"token": "x" * 9000}),
        ("REGISTER_CONNECTION", {"token": "x", "businessId": 5}),
        ("SUBSCRIBE_ORDERS", {}),
        ("SUBSCRIBE_ORDERS", {"businessId": ""}),
        ("SUBSCRIBE_ORDERS", {"businessId": None}),
        ("SUBSCRIBE_ORDERS", {"businessId": ["b1"]}),
        ("SUBSCRIBE_ORDERS", {"businessId": "b" * 129}),
        ("SUBSCRIBE_ORDERS", {"businessId": "b 1"}),
        ("SUBSCRIBE_ORDERS", {"businessId": "b1\n"}),
        ("SUBSCRIBE_ORDERS", {"businessId": "b1", "storeId": "b2"}),
        ("BUSINESS_STATUS_UPDATE", {"businessId": "b1"}),
        ("BUSINESS_STATUS_UPDATE", {"businessId": "b1", "isActive": "true"}),
        ("BUSINESS_STATUS_UPDATE", {"businessId": "b1", "isActive": 1}),
        ("BUSINESS_STATUS_UPDATE", {"businessId": "b1", "isActive": None}),
        ("BUSINESS_STATUS_UPDATE", {"businessId": "b1", "status": "maybe"}),
        ("BUSINESS_STATUS_UPDATE", {"businessId": "b1", "status": "online", "isActive": False}),
        ("subscribe_order", {"orderId": {}}),
        ("subscribe_order", {"orderId": "o1", "filter": {"statuses": [1]}}),
        ("order_message", {"orderId": "o1", "to": "admin", "body": "x"}),
        ("order_message", {"orderId": "o1", "to": "driver", "body": ""}),
        ("order_message", {"orderId": "o1", "to": "driver", "body": "x" * 2001}),
        ("order_message", {"orderId": "o1", "to": "driver", "body": {"text": "x"}}),
    ],
)
def test_a_field_of_the_wrong_shape_is_invalid(
    backend: Backend, action: str, fields: dict[str, object]
) -> None:
    backend.business("b1", owner="m1")
    device = backend.merchant("m1", "b1")
    answer = refuse(backend, device, "invalid", action, **fields)
    assert "x" * 100 not in answer["message"]
