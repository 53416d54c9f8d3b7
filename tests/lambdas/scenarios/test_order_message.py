"""Merchant, driver and customer of an order talk to each other, and only they."""

import pytest

from tests.gateway.backend import Backend


@pytest.fixture
def order(backend: Backend) -> str:
    backend.business("b1", owner="m1")
    backend.order("o1", driverId="d1")
    backend.deliver()
    return "o1"


def test_a_message_reaches_all_live_connections_of_the_recipient(
    backend: Backend, order: str
) -> None:
    phone, tablet = backend.customer("c1"), backend.customer("c1")
    stranger = backend.customer("c2")
    driver = backend.driver("d1")
    ack = driver.ask("order_message", orderId=order, to="customer", body="At your door")
    assert (ack["action"], ack["originalAction"], ack["orderId"]) == ("ack", "order_message", order)
    assert ack["delivered"] == 2
    for device in (phone, tablet):
        message = device.expect("ORDER_MESSAGE")
        assert (message["from"], message["body"]) == ("driver", "At your door")
        assert message["orderId"] == order
    stranger.ask("PING")
    assert stranger.events("ORDER_MESSAGE") == []


@pytest.mark.parametrize(
    ("sender", "to"),
    [
        ("customer", "merchant"),
        ("customer", "driver"),
        ("merchant", "customer"),
        ("merchant", "driver"),
        ("driver", "merchant"),
    ],
)
def test_each_party_can_write_to_each_other_party(
    backend: Backend, order: str, sender: str, to: str
) -> None:
    devices = {
        "customer": backend.customer("c1"),
        "driver": backend.driver("d1"),
        "merchant": backend.merchant("m1", "b1"),
    }
    ack = devices[sender].ask("order_message", orderId=order, to=to, body="مرحبا")
    assert ack["delivered"] == 1
    message = devices[to].expect("ORDER_MESSAGE")
    assert (message["from"], message["body"]) == (sender, "مرحبا")


def test_nobody_there_is_no_error(backend: Backend, order: str) -> None:
    driver = backend.driver("d1")
    assert driver.ask("order_message", orderId=order, to="customer", body="x")["delivered"] == 0


def test_a_recipient_that_is_gone_is_not_counted_and_leaves_nothing(
    backend: Backend, order: str
) -> None:
    backend.gateway.faults.lose_disconnects = True
    gone, there = backend.customer("c1"), backend.customer("c1")
    gone.ask("subscribe_order", orderId=order)
    backend.leave(gone)
    ack = backend.driver("d1").ask("order_message", orderId=order, to="customer", body="x")
    assert ack["delivered"] == 1
    there.expect("ORDER_MESSAGE")
    backend.deliver()
    assert backend.tables.connections.get(gone.connection_id) is None
    assert backend.subscriptions_of(gone) == []
