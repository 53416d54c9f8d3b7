"""Whoever leaves, by whatever way, leaves no row of ours, and nobody else's row is touched."""

from lambdas.catalogue import JANITOR_PERIOD_MINUTES
from tests.gateway.backend import Backend
from tests.gateway.devices import Device
from tests.gateway.limits import LIFETIME_SECONDS


def settle_in(backend: Backend) -> Device:
    """A merchant with every kind of row that we write for it."""
    backend.business("b1", owner="m1")
    backend.order("o1")
    device = backend.merchant("m1", "b1")
    device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    device.ask("subscribe_business_status", businessId="b1")
    device.ask("subscribe_order", orderId="o1")
    backend.deliver()
    assert len(backend.subscriptions_of(device)) == 3
    return device


def test_logout_removes_the_subscriptions_and_leaves_the_business_as_it_is(
    backend: Backend,
) -> None:
    device = settle_in(backend)
    device.ask("BUSINESS_STATUS_UPDATE", businessId="b1", isActive=True)
    answer = device.ask("MERCHANT_LOGOUT", businessId="b1")
    assert (answer["type"], answer["businessId"]) == ("MERCHANT_LOGOUT_CONFIRMED", "b1")
    assert backend.subscriptions_of(device) == []
    business = backend.tables.businesses.get("b1")
    assert business is not None
    assert (business["isActive"], business["acceptingOrders"]) == (True, True)


def test_after_logout_the_socket_may_do_nothing_but_register_again(backend: Backend) -> None:
    device = settle_in(backend)
    device.ask("MERCHANT_LOGOUT", businessId="b1")
    refused = device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    assert refused["code"] == "not_registered"
    backend.order("o2")
    backend.deliver()
    device.ask("PING")
    assert "o2" not in str(device.inbox)
    token = backend.cognito.merchants.token("m1")
    again = device.ask("REGISTER_CONNECTION", businessId="b1", token=token)
    assert again["type"] == "REGISTERED"


def test_logout_of_one_device_leaves_the_other_alone(backend: Backend) -> None:
    first = settle_in(backend)
    second = backend.merchant("m1", "b1")
    second.ask("SUBSCRIBE_ORDERS", businessId="b1")
    first.ask("MERCHANT_LOGOUT", businessId="b1")
    backend.order("o2")
    backend.deliver()
    second.wait(lambda _: "o2" in str(second.inbox), "the new order")


def test_the_janitor_removes_what_no_delivery_came_across(backend: Backend) -> None:
    device = settle_in(backend)
    staying = backend.customer("c1")
    staying.ask("subscribe_business_status", businessId="b1")
    backend.leave(device)
    for _ in range(2):
        backend.clock.advance(JANITOR_PERIOD_MINUTES * 60 / 2)
        staying.ask("HEARTBEAT")
    staying_rows = backend.subscriptions_of(staying)
    backend.sweep()
    assert backend.subscriptions_of(device) == []
    assert backend.subscriptions_of(staying) == staying_rows


def test_the_janitor_touches_nobody_elses_rows(backend: Backend) -> None:
    device = settle_in(backend)
    old = "2020-01-01T00:00:00.000Z"
    foreign = [
        {
            "subscriptionId": "theirs-1",
            "connectionId": "Nobody0Here0AAA=",
            "topic": "business:b1",
            "userId": "m1",
            "subscriptionType": "business_status",
            "createdAt": old,
        },
        {"subscriptionId": "theirs-2", "topic": "weather", "createdAt": old, "userId": "x"},
    ]
    virtual = {
        "connectionId": "VIRTUAL_b1_m1_1756633098108",
        "userId": "m1",
        "connectedAt": old,
        "entityType": "merchant",
        "isVirtualConnection": True,
    }
    driver = {
        "connectionId": "DriverConn00AAA=",
        "userId": "d9",
        "userType": "driver",
        "connectedAt": old,
        "connectionStatus": "connected",
    }
    backend.tables.subscriptions.put_all(foreign)
    backend.tables.connections.put_all([virtual, driver])
    backend.leave(device)
    backend.clock.advance(LIFETIME_SECONDS + 3600)
    backend.sweep()
    backend.sweep()
    rows = {row["subscriptionId"] for row in backend.tables.subscriptions.rows()}
    assert {"theirs-1", "theirs-2"} <= rows
    connections = {row["connectionId"] for row in backend.tables.connections.rows()}
    assert {virtual["connectionId"], driver["connectionId"]} <= connections


def test_a_lost_disconnect_ends_with_the_first_post_that_finds_nobody(backend: Backend) -> None:
    backend.gateway.faults.lose_disconnects = True
    device = settle_in(backend)
    backend.leave(device)
    assert backend.tables.connections.get(device.connection_id) is not None
    backend.order("o2")
    backend.deliver()
    assert backend.tables.connections.get(device.connection_id) is None
    assert backend.subscriptions_of(device) == []


def test_a_lost_disconnect_ends_at_the_latest_when_no_connection_can_be_that_old(
    backend: Backend,
) -> None:
    backend.gateway.faults.lose_disconnects = True
    device = settle_in(backend)
    backend.leave(device)
    backend.clock.advance(LIFETIME_SECONDS + 3600)
    backend.sweep()
    backend.sweep()
    assert backend.subscriptions_of(device) == []


def test_a_device_that_reconnects_gets_everything_again(
    backend: Backend,
) -> None:
    device = settle_in(backend)
    backend.leave(device)
    again = backend.merchant("m1", "b1")
    again.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.order("o2")
    backend.deliver()
    again.wait(lambda _: len(again.events("NEW_ORDER")) >= 2, "snapshot and new order")
    again.ask("PING")
    ids = {m["payload"]["data"]["orderId"] for m in again.events("NEW_ORDER")}
    assert ids == {"o1", "o2"}
