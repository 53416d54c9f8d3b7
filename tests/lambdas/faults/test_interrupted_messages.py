"""A Lambda that ends between any two of its calls leaves nothing that a retry cannot mend."""

from lambdas.catalogue import JANITOR_PERIOD_MINUTES
from lambdas.outbox import OVERDUE_SECONDS
from tests.gateway.backend import Backend
from tests.gateway.devices import Device
from tests.lambdas.faults.interruptions import (
    ask_in_vain,
    ask_until_served,
    every_interruption,
    interrupt,
)


def agree(backend: Backend, business_id: str, is_active: bool) -> int:
    """Everything says the same about a business; gives the version."""
    business = backend.tables.businesses.get(business_id)
    status = backend.status_row(business_id)
    assert business is not None
    assert status is not None
    assert (business["isActive"], business["acceptingOrders"]) == (is_active, is_active)
    assert status["isActive"] is is_active
    rows = [
        row
        for row in backend.tables.subscriptions.rows()
        if row.get("topic") == f"business:{business_id}"
    ]
    assert rows
    assert {row["isActive"] for row in rows} == {is_active}
    return status["version"]


def told_last(customer: Device, business_id: str) -> dict[str, object]:
    events = [
        event
        for event in customer.events("MERCHANT_STATUS_CHANGE")
        if event["data"]["merchantId"] == business_id
    ]
    assert events, f"the customer was never told about {business_id}"
    return max(events, key=lambda event: event["version"])


def test_a_toggle_that_died_and_is_sent_again_is_told_to_customers(backend: Backend) -> None:
    customer = backend.customer("c1")
    backend.business("count", owner="m1")
    counting = backend.merchant("m1", "count")

    def toggle() -> None:
        counting.ask("BUSINESS_STATUS_UPDATE", businessId="count", isActive=True)

    for number, moment in every_interruption(backend, toggle):
        business_id = f"{moment}-{number}"
        backend.business(business_id, owner="m1")
        merchant = backend.merchant("m1", business_id)
        customer.ask("subscribe_business_status", businessId=business_id)
        fields = {"businessId": business_id, "isActive": True}
        interrupt(
            backend,
            number,
            moment,
            lambda m=merchant, f=fields: ask_in_vain(m, "BUSINESS_STATUS_UPDATE", **f),
        )
        backend.clock.advance(OVERDUE_SECONDS + 1)
        answer = ask_until_served(merchant, "BUSINESS_STATUS_UPDATE", **fields)
        backend.deliver()
        customer.ask("PING")
        version = agree(backend, business_id, True)
        assert answer["version"] == version, (number, moment)
        last = told_last(customer, business_id)
        assert last["data"]["isAcceptingOrders"] is True, (number, moment)  # type: ignore[index]
        backend.leave(merchant)


def test_a_toggle_that_died_and_is_never_sent_again_is_whole_or_nothing(
    backend: Backend,
) -> None:
    """The janitor queues what the toggle did not get to."""
    customer = backend.customer("c1")
    backend.business("count", owner="m1")
    counting = backend.merchant("m1", "count")

    def toggle() -> None:
        counting.ask("BUSINESS_STATUS_UPDATE", businessId="count", isActive=True)

    changed = {}
    for number, moment in every_interruption(backend, toggle):
        business_id = f"{moment}-{number}"
        backend.business(business_id, owner="m1")
        merchant = backend.merchant("m1", business_id)
        merchant.ask("SUBSCRIBE_ORDERS", businessId=business_id)
        customer.ask("subscribe_business_status", businessId=business_id)
        fields = {"businessId": business_id, "isActive": True}
        interrupt(
            backend,
            number,
            moment,
            lambda m=merchant, f=fields: ask_in_vain(m, "BUSINESS_STATUS_UPDATE", **f),
        )
        business = backend.tables.businesses.get(business_id)
        assert business is not None
        assert business["isActive"] is business["acceptingOrders"]
        if business["isActive"]:
            changed[business_id] = agree(backend, business_id, True)
        else:
            assert backend.status_row(business_id) is None
        backend.leave(merchant)
    assert changed, "no interruption came after the transaction"
    for _ in range(2):
        backend.clock.advance(JANITOR_PERIOD_MINUTES * 60 / 2)
        customer.ask("HEARTBEAT")
    backend.sweep()
    backend.deliver()
    customer.ask("PING")
    for business_id, version in changed.items():
        assert told_last(customer, business_id)["version"] == version, business_id


def test_a_subscription_that_died_and_is_sent_again_is_there_once(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    backend.order("o1")
    backend.deliver()
    counting = backend.merchant("m1", "b1")

    def subscribe() -> None:
        counting.ask("SUBSCRIBE_ORDERS", businessId="b1")

    for number, moment in every_interruption(backend, subscribe):
        device = backend.merchant("m1", "b1")
        interrupt(
            backend,
            number,
            moment,
            lambda d=device: ask_in_vain(d, "SUBSCRIBE_ORDERS", businessId="b1"),
        )
        ask_until_served(device, "SUBSCRIBE_ORDERS", businessId="b1")
        backend.deliver()
        assert len(backend.subscriptions_of(device)) == 1, (number, moment)
        orders = {m["payload"]["data"]["orderId"] for m in [device.expect("NEW_ORDER")]}
        assert orders == {"o1"}, (number, moment)
        backend.leave(device)


def test_a_registration_that_died_and_is_sent_again_registers(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    token = backend.cognito.merchants.token("m1")

    def register() -> None:
        device = backend.device()
        with backend.calls.counting():
            device.ask("REGISTER_CONNECTION", businessId="b1", token=token)

    for number, moment in every_interruption(backend, register):
        device = backend.device()
        interrupt(
            backend,
            number,
            moment,
            lambda d=device: ask_in_vain(d, "REGISTER_CONNECTION", businessId="b1", token=token),
        )
        answer = ask_until_served(device, "REGISTER_CONNECTION", businessId="b1", token=token)
        assert answer["type"] == "REGISTERED", (number, moment)


def test_a_logout_that_died_and_is_sent_again_leaves_nothing(backend: Backend) -> None:
    backend.business("b1", owner="m1")

    def ready() -> Device:
        device = backend.merchant("m1", "b1")
        device.ask("SUBSCRIBE_ORDERS", businessId="b1")
        device.ask("subscribe_business_status", businessId="b1")
        backend.deliver()
        return device

    counting = ready()

    def log_out() -> None:
        counting.ask("MERCHANT_LOGOUT", businessId="b1")

    for number, moment in every_interruption(backend, log_out):
        device = ready()
        interrupt(
            backend,
            number,
            moment,
            lambda d=device: ask_in_vain(d, "MERCHANT_LOGOUT", businessId="b1"),
        )
        answer = ask_until_served(device, "MERCHANT_LOGOUT", businessId="b1")
        # Who is logged out already is told so, in one way or the other.
        assert answer["type"] == "MERCHANT_LOGOUT_CONFIRMED" or answer["code"] == "not_registered"
        assert backend.subscriptions_of(device) == [], (number, moment)
        backend.leave(device)


def test_an_order_message_that_died_is_sent_again_and_arrives(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    backend.order("o1", driverId="d1")
    backend.deliver()
    customer, driver = backend.customer("c1"), backend.driver("d1")

    def write() -> None:
        driver.ask("order_message", orderId="o1", to="customer", body="count")

    write()  # The first message of a minute costs a call more.
    for number, moment in every_interruption(backend, write):
        body = f"{moment}-{number}"
        fields = {"orderId": "o1", "to": "customer", "body": body}
        interrupt(
            backend,
            number,
            moment,
            lambda f=fields: ask_in_vain(driver, "order_message", **f),
        )
        assert ask_until_served(driver, "order_message", **fields)["delivered"] == 1
        customer.wait(lambda m, b=body: m.get("body") == b, "the message")
