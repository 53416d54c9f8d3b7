"""What the merchant app does from login to logout, over a real socket."""

import pytest

from lambdas.rows import CONNECTION_SECONDS, MARGIN_SECONDS
from tests.gateway.backend import Backend


def test_the_platform_takes_everybody_for_a_customer_and_registering_corrects_it(
    backend: Backend,
) -> None:
    backend.business("b1", owner="m1")
    device = backend.device(businessId="b1", userId="m1", entityType="merchant")
    before = backend.tables.connections.get(device.connection_id)
    assert before is not None
    assert before["entityType"] == "customer"

    answer = device.ask(
        "REGISTER_CONNECTION", businessId="b1", token=backend.cognito.merchants.token("m1")
    )

    assert answer["type"] == "REGISTERED"
    assert answer["entityType"] == "merchant"
    assert answer["businessId"] == "b1"
    assert answer["userId"] == "m1"
    assert answer["connectionId"] == device.connection_id
    after = backend.tables.connections.get(device.connection_id)
    assert after is not None
    assert (after["entityType"], after["businessId"], after["userId"]) == ("merchant", "b1", "m1")
    assert {name: after[name] for name in ("connectionId", "connectedAt")} == {
        name: before[name] for name in ("connectionId", "connectedAt")
    }


def test_an_access_token_registers_as_well_as_an_id_token(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    device = backend.device()
    token = backend.cognito.merchants.access_token("m1")
    answer = device.ask("REGISTER_CONNECTION", businessId="b1", token=token)
    assert (answer["type"], answer["entityType"]) == ("REGISTERED", "merchant")


def test_a_business_is_also_its_own_by_a_verified_email(backend: Backend) -> None:
    backend.business("b1", owner="someone-else", email="shop@example.com")
    device = backend.device()
    token = backend.cognito.merchants.token("m1", email="Shop@example.com")
    answer = device.ask("REGISTER_CONNECTION", businessId="b1", token=token)
    assert answer["type"] == "REGISTERED"


def test_ping_and_both_heartbeats_are_answered(backend: Backend) -> None:
    device = backend.device()
    assert device.ask("PING")["type"] == "PONG"
    assert device.ask("HEARTBEAT")["type"] == "HEARTBEAT_ACK"
    assert device.ask("heartbeat")["action"] == "heartbeat_response"


def test_heartbeats_keep_the_row_until_the_connection_must_end_and_no_longer(
    backend: Backend,
) -> None:
    backend.business("b1", owner="m1")
    device = backend.merchant("m1", "b1")
    row = backend.tables.connections.get(device.connection_id)
    assert row is not None
    opened = backend.clock.time()
    for _ in range(12):
        backend.clock.advance(590)
        assert device.ask("HEARTBEAT")["type"] == "HEARTBEAT_ACK"
    row = backend.tables.connections.get(device.connection_id)
    assert row is not None
    assert backend.clock.time() < row["ttl"] <= opened + CONNECTION_SECONDS + MARGIN_SECONDS + 1


def test_a_heartbeat_makes_no_ghost_of_a_connection_that_is_off_record(backend: Backend) -> None:
    device = backend.device()
    backend.tables.connections.delete(device.connection_id)
    assert device.ask("HEARTBEAT")["type"] == "HEARTBEAT_ACK"
    assert backend.tables.connections.get(device.connection_id) is None


def test_subscribing_to_orders_twice_leaves_one_row(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    device = backend.merchant("m1", "b1")
    for _ in range(2):
        answer = device.ask("SUBSCRIBE_ORDERS", businessId="b1")
        assert answer["type"] == "SUBSCRIBED"
        assert (answer["entityType"], answer["subscriptionType"]) == ("merchant", "business_status")
    (row,) = backend.subscriptions_of(device)
    assert row["subscriptionId"] == f"{device.connection_id}#business:b1"
    assert row["topic"] == "business:b1"
    assert (row["entityType"], row["businessId"], row["userId"]) == ("merchant", "b1", "m1")
    assert row["createdAt"]
    assert row["ttl"] <= backend.clock.time() + CONNECTION_SECONDS + MARGIN_SECONDS + 1


def test_request_ids_come_back_in_answers_and_in_errors(backend: Backend) -> None:
    device = backend.device()
    device.send("PING", requestId="mine")
    assert device.expect("PONG")["requestId"] == "mine"
    device.send("REGISTER_CONNECTION", requestId=7)
    error = device.expect("ERROR")
    assert (error["requestId"], error["action"]) == (7, "error")


def test_an_answer_without_a_request_id_has_none(backend: Backend) -> None:
    device = backend.device()
    device.send("PING")
    assert "requestId" not in device.expect("PONG")


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("SUBSCRIBE_ORDERS", {"businessId": "b1"}),
        ("BUSINESS_STATUS_UPDATE", {"businessId": "b1", "isActive": True}),
        ("MERCHANT_LOGOUT", {"businessId": "b1"}),
        ("subscribe_order", {"orderId": "o1"}),
        ("order_message", {"orderId": "o1", "to": "customer", "body": "hello"}),
    ],
)
def test_who_has_not_registered_is_told_to(
    backend: Backend, action: str, fields: dict[str, object]
) -> None:
    backend.business("b1", owner="m1")
    backend.order("o1")
    device = backend.device(businessId="b1", userId="m1")
    answer = device.ask(action, **fields)
    assert (answer["type"], answer["code"]) == ("ERROR", "not_registered")
