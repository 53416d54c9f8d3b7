"""Messages and records that come again, late or out of order change nothing for the worse."""

from lambdas import fanout, order_events
from tests.gateway.backend import Backend


def test_a_replayed_toggle_never_takes_the_version_back(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    merchant = backend.merchant("m1", "b1")
    versions = [
        merchant.ask("BUSINESS_STATUS_UPDATE", businessId="b1", isActive=state)["version"]
        for state in (True, False, True, True, False)
    ]
    assert versions == sorted(versions)


def test_a_replayed_queue_message_tells_a_customer_once(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    merchant, customer = backend.merchant("m1", "b1"), backend.customer("c1")
    customer.ask("subscribe_business_status", businessId="b1")
    merchant.ask("BUSINESS_STATUS_UPDATE", businessId="b1", isActive=True)
    bodies = backend.queue.peek()
    backend.deliver()
    for body in bodies:
        backend.queue.deliver_again(fanout.handler, body)
    backend.deliver()
    customer.ask("PING")
    assert len(customer.events("MERCHANT_STATUS_CHANGE")) == 1


def test_an_old_status_event_still_says_its_old_version(backend: Backend) -> None:
    """A client that keeps the highest version ends in the true state, whatever the order."""
    backend.business("b1", owner="m1")
    merchant, customer = backend.merchant("m1", "b1"), backend.customer("c1")
    customer.ask("subscribe_business_status", businessId="b1")
    for state in (True, False):
        merchant.ask("BUSINESS_STATUS_UPDATE", businessId="b1", isActive=state)
    for body in reversed(backend.queue.peek()):
        backend.queue.deliver_again(fanout.handler, body)
    backend.queue.drain(fanout.handler)
    customer.wait(lambda _: len(customer.events("MERCHANT_STATUS_CHANGE")) >= 2)
    last = max(customer.events("MERCHANT_STATUS_CHANGE"), key=lambda event: event["version"])
    business = backend.tables.businesses.get("b1")
    assert business is not None
    assert last["data"]["isAcceptingOrders"] is business["isActive"] is False


def test_a_replayed_order_record_is_told_under_the_same_event_id(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    device = backend.merchant("m1", "b1")
    device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.deliver()
    backend.order("o1")
    (record,) = backend.orders.waiting
    backend.deliver()
    for _ in range(3):
        backend.orders.deliver(order_events.handler, [record])
    backend.deliver()
    device.ask("PING")
    assert len({event["eventId"] for event in device.events("NEW_ORDER")}) == 1


def test_order_updates_out_of_order_carry_the_moment_that_tells(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    backend.order("o1")
    backend.deliver()
    customer = backend.customer("c1")
    customer.ask("subscribe_order", orderId="o1")
    for status in ("confirmed", "preparing", "ready"):
        backend.clock.advance(1)
        backend.orders.update("o1", status=status, updatedAt=backend.timestamp())
    records, backend.orders.waiting = backend.orders.waiting, []
    for record in reversed(records):
        backend.orders.deliver(order_events.handler, [record])
    customer.wait(lambda _: len(customer.events("ORDER_UPDATE")) == 3, "three updates")
    newest = max(customer.events("ORDER_UPDATE"), key=lambda event: event["updatedAt"])
    assert newest["status"] == "ready"
