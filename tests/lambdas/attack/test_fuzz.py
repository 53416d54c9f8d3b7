"""Whatever text arrives, the handler answers with one JSON object and never with an exception."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas import websocket
from lambdas.messages import ErrorCode
from tests.gateway.events import (
    Handshake,
    LambdaContext,
    Socket,
    message_event,
    new_connection_id,
)

ROUTES = (
    "PING",
    "HEARTBEAT",
    "heartbeat",
    "REGISTER_CONNECTION",
    "SUBSCRIBE_ORDERS",
    "BUSINESS_STATUS_UPDATE",
    "MERCHANT_LOGOUT",
    "subscribe_business_status",
    "unsubscribe_business_status",
    "subscribe_order",
    "unsubscribe_order",
    "order_message",
)
FIELDS = (
    "action", "type", "requestId", "token", "businessId", "storeId", "entityType", "isActive",
    "status", "orderId", "filter", "to", "body", "statuses", "entityTypes", "connectionId",
)  # fmt: skip

texts = st.text(max_size=40) | st.sampled_from(
    (*ROUTES, "b1", "o1", "online", "merchant", "\ud800")
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.sampled_from([2**53, 10**400, -0.0, 1e308])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(FIELDS) | texts, inner, max_size=4)
    ),
    max_leaves=12,
)
messages = st.dictionaries(st.sampled_from(FIELDS), values, max_size=6).flatmap(
    lambda fields: st.sampled_from(ROUTES).map(lambda action: {**fields, "action": action})
)
bodies = (
    messages.map(json.dumps)
    | messages.map(lambda message: json.dumps(message, ensure_ascii=False))
    | values.map(json.dumps)
    | st.text(max_size=200)
    | st.tuples(messages.map(json.dumps), st.integers(0, 200), st.characters()).map(
        lambda part: part[0][: part[1]] + part[2] + part[0][part[1] + 1 :]
    )
)


@pytest.fixture
def serve(open_backend: Any) -> Callable[[str], dict[str, Any]]:
    """Call the handler as the gateway would, each time for another connection."""

    def call(body: str) -> dict[str, Any]:
        socket = Socket(
            connection_id=new_connection_id(),
            api_id="gateway001",
            stage="sandbox",
            domain_name="gateway",
            connected_at=open_backend.clock.time(),
            handshake=Handshake(headers={}, query={}, source_ip="127.0.0.1"),
        )
        event = message_event(socket, open_backend.clock.time(), "$default", body)
        answer = websocket.handler(event, LambdaContext(function_name="websocket"))
        assert answer["statusCode"] == 200
        answer["body"].encode()
        return json.loads(answer["body"])

    return call


def test_any_text_is_answered_and_writes_nothing(
    open_backend: Any, serve: Callable[[str], dict[str, Any]]
) -> None:
    before = open_backend.tables.snapshot()

    @settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(bodies)
    def run(body: str) -> None:
        answer = serve(body)
        assert isinstance(answer, dict)
        if answer.get("type") == "ERROR":
            assert answer["code"] in set(ErrorCode)
            # A fault of ours would be hidden behind this code.
            assert answer["code"] != "unavailable", (body, answer)

    run()
    assert open_backend.tables.snapshot() == before
