"""What a client may send, and how everything else is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas import envelope
from lambdas.messages import ErrorCode, OrderStatus
from lambdas.refusal import Refusal
from lambdas.requests import (
    BusinessStatusUpdate,
    Filter,
    Ping,
    Request,
    SubscribeOrder,
    SubscribeOrders,
)


def understand(body: object, *, is_binary: bool = False) -> Request:
    return envelope.request_of(envelope.read(body, is_binary=is_binary))


def refused(body: object, *, is_binary: bool = False) -> Refusal:
    with pytest.raises(Refusal) as caught:
        understand(body, is_binary=is_binary)
    return caught.value


def test_action_says_what_is_wanted_and_beats_type() -> None:
    assert isinstance(understand('{"action": "PING", "type": "HEARTBEAT"}'), Ping)


def test_type_is_read_where_there_is_no_action() -> None:
    assert isinstance(understand('{"type": "PING"}'), Ping)
    assert isinstance(understand('{"action": null, "type": "PING"}'), Ping)


@pytest.mark.parametrize("number", ["r1", "x" * 128, 0, 7, 2**53 - 1])
def test_a_request_id_is_kept(number: object) -> None:
    body = json.dumps({"action": "PING", "requestId": number})
    assert understand(body).request_id == number


@pytest.mark.parametrize("number", ["", "x" * 129, -1, 1.5, True, [], {"a": 1}])
def test_another_request_id_is_refused(number: object) -> None:
    refusal = refused(json.dumps({"action": "PING", "requestId": number}))
    assert (refusal.code, refusal.action) == (ErrorCode.INVALID, "PING")


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "ping",
        "[]",
        '"PING"',
        "1",
        "{}",
        '{"action": 1}',
        '{"action": ""}',
        '{"action": ["PING"]}',
        '{"action": "PING", "action": "PING"}',
        '{"action": "PING", "a": {"b": 1, "b": 2}}',
        '{"action": "PING", "a": NaN}',
        '{"action": "PING", "a": -Infinity}',
        '{"action": "PING", "a": 1e999}',
        '{"action": "PING", "a": 9007199254740992}',
        '{"action": "PING", "a": ' + "9" * 5000 + "}",
        '{"action": "PING", "a": "\\ud800"}',
        '{"action": "PING", "\\udfff": 1}',
        '{"action": "PING", "a": "\ud800"}',
        '{"action": "PING"} {"action": "PING"}',
        '{"action": "PING",}',
        "[" * 8000,
        '{"action": "PING", "a": ' + "[" * 20 + "]" * 20 + "}",
        '{"action": "' + "x" * 65 + '"}',
    ],
)
def test_what_does_not_mean_one_thing_is_invalid(body: object) -> None:
    assert refused(body).code is ErrorCode.INVALID


def test_a_binary_frame_is_invalid() -> None:
    assert refused("eyJhY3Rpb24iOiJQSU5HIn0=", is_binary=True).code is ErrorCode.INVALID


def test_a_pair_of_surrogates_is_a_character() -> None:
    understand('{"action": "PING", "a": "\\ud83c\\udf75"}')


def test_nesting_is_allowed_up_to_the_limit() -> None:
    lists = envelope.DEPTH_LIMIT - 1
    understand('{"action": "PING", "a": ' + "[" * lists + "]" * lists + "}")
    more = lists + 1
    body = '{"action": "PING", "a": ' + "[" * more + "]" * more + "}"
    assert refused(body).code is ErrorCode.INVALID


@pytest.mark.parametrize("character", ["x", "\N{SNOWMAN}"])
def test_size_counts_in_bytes(character: str) -> None:
    frame = '{"action": "PING", "a": "%s"}'
    room = envelope.SIZE_LIMIT - len(frame % "")
    text = character * (room // len(character.encode()))
    understand(frame % text)
    assert refused(frame % (text + character * 3)).code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize("size", [32 * 1024, 32 * 1024 + 1, 128 * 1024])
def test_the_gateways_own_limits_are_never_reached(size: int) -> None:
    assert refused("x" * size).code is ErrorCode.TOO_LARGE


def test_an_unknown_action_is_named_in_the_refusal() -> None:
    refusal = refused('{"action": "nonsense"}')
    assert (refusal.code, refusal.action) == (ErrorCode.UNKNOWN_ACTION, "nonsense")


def test_unknown_fields_and_nulls_are_ignored() -> None:
    body = '{"action": "SUBSCRIBE_ORDERS", "businessId": "b1", "userType": "x", "filter": null}'
    assert understand(body) == SubscribeOrders(business_id="b1")


def test_store_id_is_understood_for_business_id() -> None:
    assert understand('{"type": "SUBSCRIBE_ORDERS", "storeId": "b1"}') == SubscribeOrders(
        business_id="b1"
    )


def test_two_names_for_two_businesses_are_refused() -> None:
    body = '{"action": "SUBSCRIBE_ORDERS", "storeId": "b1", "businessId": "b2"}'
    assert refused(body).code is ErrorCode.INVALID


@pytest.mark.parametrize(("word", "is_active"), [("online", True), ("offline", False)])
def test_the_old_status_is_understood(word: str, is_active: bool) -> None:
    body = {"type": "BUSINESS_STATUS_UPDATE", "businessId": "b1", "status": word}
    wanted = BusinessStatusUpdate(business_id="b1", is_active=is_active)
    assert understand(json.dumps(body)) == wanted
    assert understand(json.dumps(body | {"isActive": is_active})) == wanted


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"status": "ONLINE"},
        {"status": True},
        {"isActive": "true"},
        {"isActive": 1},
        {"isActive": None},
        {"isActive": True, "status": "offline"},
        {"isActive": True, "status": "busy"},
    ],
)
def test_a_toggle_that_does_not_say_what_to_do_is_refused(fields: dict[str, object]) -> None:
    body = {"action": "BUSINESS_STATUS_UPDATE", "businessId": "b1", **fields}
    assert refused(json.dumps(body)).code is ErrorCode.INVALID


@pytest.mark.parametrize("wrong", ["", "x" * 129, "a b", "a\n", "a\u0000", "\u00e4", 1, [], {}])
def test_an_id_is_short_printable_text(wrong: object) -> None:
    body = json.dumps({"action": "SUBSCRIBE_ORDERS", "businessId": wrong})
    assert refused(body).code is ErrorCode.INVALID


def test_a_filter_is_understood() -> None:
    body = {
        "action": "subscribe_order",
        "orderId": "o1",
        "filter": {"statuses": ["ready", "delivered"]},
    }
    assert understand(json.dumps(body)) == SubscribeOrder(
        order_id="o1", filter=Filter(statuses=(OrderStatus.READY, OrderStatus.DELIVERED))
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"statuses": []},
        {"statuses": ["done"]},
        {"statuses": "ready"},
        {"entityTypes": ["admin"]},
        {"status": ["ready"]},
        [],
    ],
)
def test_a_filter_that_would_not_do_what_it_says_is_refused(wrong: object) -> None:
    body = {"action": "subscribe_order", "orderId": "o1", "filter": wrong}
    assert refused(json.dumps(body)).code is ErrorCode.INVALID


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(
    st.text()
    | _json.map(json.dumps)
    | st.dictionaries(
        st.sampled_from(["action", "type", "requestId", "businessId", "isActive", "filter"]),
        st.sampled_from(["PING", "SUBSCRIBE_ORDERS", "subscribe_order"]) | _json,
    ).map(json.dumps)
)
def test_whatever_comes_is_a_request_or_a_refusal(body: str) -> None:
    try:
        request = understand(body)
    except Refusal:
        return
    assert isinstance(request, Request)
