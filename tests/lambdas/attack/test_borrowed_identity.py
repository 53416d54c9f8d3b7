"""Nobody acts for another: claims in a message count for nothing, proofs are asked anew."""

import pytest

from tests.gateway.backend import Backend
from tests.lambdas.attack.refusals import refuse


@pytest.fixture
def two_shops(backend: Backend) -> Backend:
    backend.business("b1", owner="m1")
    backend.business("b2", owner="m2")
    backend.order("o1", businessId="b1", customerId="c1", driverId="d1")
    backend.order("o2", businessId="b2", customerId="c2", driverId="d2")
    backend.deliver()
    return backend


def test_a_customer_who_claims_to_be_a_merchant_is_refused(two_shops: Backend) -> None:
    device = two_shops.device(businessId="b1", entityType="merchant", userId="m1")
    refuse(
        two_shops,
        device,
        "forbidden",
        "REGISTER_CONNECTION",
        token=two_shops.cognito.customers.token("c1"),
        entityType="merchant",
        businessId="b1",
    )


def test_a_merchant_stays_one_whatever_it_claims(two_shops: Backend) -> None:
    device = two_shops.device()
    answer = device.ask(
        "REGISTER_CONNECTION",
        token=two_shops.cognito.merchants.token("m1"),
        entityType="customer",
        businessId="b1",
    )
    assert answer["entityType"] == "merchant"


@pytest.mark.parametrize("business_id", ["b2", "no-such-business"])
def test_another_business_and_none_at_all_are_refused_alike(
    two_shops: Backend, business_id: str
) -> None:
    device = two_shops.device(businessId=business_id, userId="m2")
    token = two_shops.cognito.merchants.token("m1")
    answer = refuse(
        two_shops, device, "forbidden", "REGISTER_CONNECTION", token=token, businessId=business_id
    )
    assert business_id not in answer["message"]


def test_an_unverified_email_owns_nothing(two_shops: Backend) -> None:
    device = two_shops.device()
    for verified in (False, None, "false"):
        token = two_shops.cognito.merchants.token(
            "thief", email="m2@example.com", email_verified=verified
        )
        refuse(two_shops, device, "forbidden", "REGISTER_CONNECTION", token=token, businessId="b2")


@pytest.mark.parametrize("business_id", ["b2", "no-such-business"])
@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("SUBSCRIBE_ORDERS", {}),
        ("BUSINESS_STATUS_UPDATE", {"isActive": False}),
        ("MERCHANT_LOGOUT", {}),
    ],
)
def test_a_merchant_does_nothing_to_anothers_business(
    two_shops: Backend, action: str, fields: dict[str, object], business_id: str
) -> None:
    device = two_shops.merchant("m1", "b1")
    refuse(
        two_shops,
        device,
        "forbidden",
        action,
        businessId=business_id,
        entityType="merchant",
        userId="m2",
        **fields,
    )


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("SUBSCRIBE_ORDERS", {}),
        ("BUSINESS_STATUS_UPDATE", {"isActive": True}),
        ("MERCHANT_LOGOUT", {}),
    ],
)
@pytest.mark.parametrize("role", ["customer", "driver"])
def test_customers_and_drivers_are_no_merchants(
    two_shops: Backend, role: str, action: str, fields: dict[str, object]
) -> None:
    # Even one whose user id is the owner's: another pool is another world.
    device = getattr(two_shops, role)("m1")
    refuse(two_shops, device, "forbidden", action, businessId="b1", **fields)


@pytest.mark.parametrize("order_id", ["o2", "no-such-order"])
@pytest.mark.parametrize("role", ["customer", "driver", "merchant"])
def test_the_orders_of_others_and_none_at_all_are_refused_alike(
    two_shops: Backend, role: str, order_id: str
) -> None:
    if role == "merchant":
        device = two_shops.merchant("m1", "b1")
    else:
        device = getattr(two_shops, role)(f"{role[0]}1")
    one = refuse(two_shops, device, "forbidden", "subscribe_order", orderId=order_id)
    two = refuse(
        two_shops,
        device,
        "forbidden",
        "order_message",
        orderId=order_id,
        to="customer" if role != "customer" else "driver",
        body="hello",
    )
    assert order_id not in one["message"] + two["message"]


def test_a_customer_is_no_party_by_a_drivers_id_nor_the_other_way_round(
    two_shops: Backend,
) -> None:
    for device in (two_shops.customer("d1"), two_shops.driver("c1"), two_shops.customer("m1")):
        refuse(two_shops, device, "forbidden", "subscribe_order", orderId="o1")


def test_a_row_that_only_the_platform_marked_proves_nothing(two_shops: Backend) -> None:
    device = two_shops.device(businessId="b1", userId="m1")
    row = two_shops.tables.connections.get(device.connection_id)
    assert row is not None
    two_shops.tables.connections.put({**row, "entityType": "merchant", "businessId": "b1"})
    refuse(two_shops, device, "not_registered", "SUBSCRIBE_ORDERS", businessId="b1")
    refuse(
        two_shops,
        device,
        "not_registered",
        "BUSINESS_STATUS_UPDATE",
        businessId="b1",
        isActive=False,
    )


def test_a_business_that_was_sold_no_longer_listens_to_its_former_owner(
    two_shops: Backend,
) -> None:
    device = two_shops.merchant("m1", "b1")
    device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    two_shops.deliver()
    two_shops.business("b1", owner="m3")
    for action, fields in (
        ("SUBSCRIBE_ORDERS", {}),
        ("BUSINESS_STATUS_UPDATE", {"isActive": True}),
    ):
        refuse(two_shops, device, "forbidden", action, businessId="b1", **fields)
    refuse(two_shops, device, "forbidden", "subscribe_order", orderId="o1")
    before = len(device.events("NEW_ORDER"))
    two_shops.order("o3", businessId="b1")
    two_shops.deliver()
    device.ask("PING")
    assert len(device.events("NEW_ORDER")) == before


def test_who_is_no_party_any_more_cannot_subscribe_again(two_shops: Backend) -> None:
    driver = two_shops.driver("d1")
    assert driver.ask("subscribe_order", orderId="o1")["action"] == "ack"
    two_shops.orders.update("o1", driverId="d9")
    refuse(two_shops, driver, "forbidden", "subscribe_order", orderId="o1")
    refuse(two_shops, driver, "forbidden", "order_message", orderId="o1", to="customer", body="x")


def test_a_connection_id_in_a_message_is_nobodys_target(two_shops: Backend) -> None:
    victim = two_shops.customer("c1")
    victim.ask("subscribe_order", orderId="o1")
    rows = two_shops.subscriptions_of(victim)
    attacker = two_shops.customer("c2")
    for action in ("unsubscribe_order", "subscribe_order"):
        attacker.ask(
            action,
            orderId="o1",
            connectionId=victim.connection_id,
            subscriptionId=rows[0]["subscriptionId"],
        )
    assert two_shops.subscriptions_of(victim) == rows
    two_shops.orders.update("o1", status="confirmed")
    two_shops.deliver()
    victim.expect("ORDER_UPDATE")
    attacker.ask("PING")
    assert attacker.events("ORDER_UPDATE") == []


def test_a_message_between_parties_names_its_true_sender(two_shops: Backend) -> None:
    customer, driver = two_shops.customer("c1"), two_shops.driver("d1")
    message = {"orderId": "o1", "to": "driver", "body": "hi", "from": "merchant", "sender": "m1"}
    assert customer.ask("order_message", **message)["delivered"] == 1
    assert driver.expect("ORDER_MESSAGE")["from"] == "customer"


def test_a_planted_subscription_row_brings_nothing_private(two_shops: Backend) -> None:
    attacker = two_shops.customer("c2")
    for topic in ("order:o1", "business:b1"):
        two_shops.tables.subscriptions.put(
            {
                "subscriptionId": f"{attacker.connection_id}#{topic}",
                "connectionId": attacker.connection_id,
                "topic": topic,
                "userId": "c1",
                "entityType": "customer",
                "businessId": "b1",
                "createdAt": two_shops.timestamp(),
                "ttl": int(two_shops.clock.time()) + 3600,
            }
        )
    two_shops.order("o5", businessId="b1", customerId="c1")
    two_shops.orders.update("o1", status="confirmed")
    two_shops.deliver()
    attacker.ask("PING")
    assert attacker.events("NEW_ORDER") == []
    assert attacker.events("ORDER_UPDATE") == []
