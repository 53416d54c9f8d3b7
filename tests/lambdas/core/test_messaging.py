"""order_message: its limit, and whom it reaches."""

import pytest

from lambdas.actions.messaging import MESSAGES_PER_MINUTE
from tests.gateway.backend import Backend
from tests.gateway.devices import Device

pytestmark = pytest.mark.cloud


@pytest.fixture
def ordered(backend: Backend) -> Backend:
    backend.business("b1", owner="m1")
    backend.order("o1", driverId="d1")
    return backend


def say(device: Device, to: str, body: str = "hello") -> dict[str, object]:
    return device.ask("order_message", orderId="o1", to=to, body=body)


def test_everybody_on_the_recipients_side_has_it_and_nobody_else(ordered: Backend) -> None:
    phone, tablet = ordered.customer("c1"), ordered.customer("c1")
    stranger, driver = ordered.customer("c2"), ordered.driver("d1")
    assert say(driver, "customer")["delivered"] == 2
    for device in (phone, tablet):
        message = device.expect("ORDER_MESSAGE")
        assert (message["from"], message["body"]) == ("driver", "hello")
    assert stranger.events("ORDER_MESSAGE") == driver.events("ORDER_MESSAGE") == []


def test_a_merchant_is_reached_through_every_registered_device(ordered: Backend) -> None:
    silent, subscribed = ordered.merchant("m1", "b1"), ordered.merchant("m1", "b1")
    subscribed.ask("SUBSCRIBE_ORDERS", businessId="b1")
    assert say(ordered.customer("c1"), "merchant")["delivered"] == 2
    silent.expect("ORDER_MESSAGE")
    subscribed.expect("ORDER_MESSAGE")


def test_a_merchant_by_verified_address_is_reached_too(ordered: Backend) -> None:
    ordered.tables.businesses.put({"businessId": "b1", "email": "m7@example.com"})
    merchant = ordered.merchant("m7", "b1")
    merchant.ask("SUBSCRIBE_ORDERS", businessId="b1")
    assert say(ordered.customer("c1"), "merchant")["delivered"] == 1


def test_without_a_driver_there_is_nobody_to_reach(backend: Backend) -> None:
    backend.order("o1")
    assert say(backend.customer("c1"), "driver")["delivered"] == 0


def test_nobody_writes_to_their_own_side(ordered: Backend) -> None:
    assert say(ordered.customer("c1"), "customer")["code"] == "invalid"


def test_a_flood_of_messages_ends_at_the_limit_and_begins_anew_with_the_minute(
    ordered: Backend,
) -> None:
    ordered.clock.advance(60 - ordered.clock.time() % 60 + 1)
    customer = ordered.customer("c1")
    for _ in range(MESSAGES_PER_MINUTE):
        assert say(customer, "driver")["action"] == "ack"
    refused = say(customer, "driver")
    assert refused["code"] == "unavailable"
    assert 0 < int(str(refused["retryAfterMs"])) <= 60_000
    ordered.clock.advance(60)
    assert say(customer, "driver")["action"] == "ack"
