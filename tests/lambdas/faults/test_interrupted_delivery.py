"""A worker that ends in the middle is run again by its source, and everybody has the event."""

from lambdas import delivery, fanout, order_events
from tests.gateway.backend import Backend
from tests.gateway.devices import Device
from tests.lambdas.faults.interruptions import Moment, every_interruption


def die(backend: Backend, number: int, moment: Moment) -> None:
    if moment == "before":
        backend.calls.die_before = number
    else:
        backend.calls.die_after = number


def interrupted_drain(backend: Backend, number: int, moment: Moment) -> None:
    """Let the worker die once, then let the queue do what it does."""
    with backend.calls.counting():
        die(backend, number, moment)
        worker = _dies_once(backend)
        backend.queue.drain(worker)
        backend.calls.heal()


def _dies_once(backend: Backend):
    def worker(event, context):
        try:
            return fanout.handler(event, context)
        except BaseException:
            backend.calls.heal()
            # A container that died has forgotten what it delivered.
            delivery.memory.clear()
            raise

    return worker


def test_a_broadcast_survives_the_end_of_its_worker_at_every_call(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    merchant = backend.merchant("m1", "b1")
    customers = [backend.customer(f"c{number}") for number in range(3)]
    for customer in customers:
        customer.ask("subscribe_business_status", businessId="b1")
    states = iter([True, False] * 50)

    def toggle() -> int:
        state = next(states)
        return merchant.ask("BUSINESS_STATUS_UPDATE", businessId="b1", isActive=state)["version"]

    def drain() -> None:
        toggle()
        with backend.calls.counting():
            backend.queue.drain(fanout.handler)

    for number, moment in every_interruption(backend, drain):
        version = toggle()
        interrupted_drain(backend, number, moment)
        for customer in customers:
            _has(customer, version)
    assert backend.queue.dead_letters() == []


def _has(customer: Device, version: int) -> None:
    customer.wait(lambda message: message.get("version") == version, f"version {version}")


def test_an_order_survives_the_end_of_its_consumer_at_every_call(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    device = backend.merchant("m1", "b1")
    device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.deliver()

    def consume() -> None:
        backend.order("count")
        with backend.calls.counting():
            backend.orders.drain(order_events.handler)

    def dies_once(event, context):
        try:
            return order_events.handler(event, context)
        except BaseException:
            backend.calls.heal()
            delivery.memory.clear()
            raise

    for number, moment in every_interruption(backend, consume):
        order_id = f"{moment}-{number}"
        backend.order(order_id)
        with backend.calls.counting():
            die(backend, number, moment)
            backend.orders.drain(dies_once)
            backend.calls.heal()
        device.wait(
            lambda m, o=order_id: (
                m.get("type") == "NEW_ORDER" and m["payload"]["data"]["orderId"] == o
            ),
            order_id,
        )
    assert backend.orders.dead_letters == []


def test_rows_of_a_gone_connection_go_in_the_end_wherever_the_removal_died(
    backend: Backend,
) -> None:
    backend.gateway.faults.lose_disconnects = True
    backend.business("b1", owner="m1")

    def leave_behind() -> Device:
        device = backend.merchant("m1", "b1")
        device.ask("SUBSCRIBE_ORDERS", businessId="b1")
        device.ask("subscribe_business_status", businessId="b1")
        backend.deliver()
        backend.leave(device)
        return device

    def consume() -> None:
        leave_behind()
        backend.order("count")
        with backend.calls.counting():
            backend.orders.drain(order_events.handler)

    gone = []
    for number, moment in every_interruption(backend, consume):
        gone.append(leave_behind())
        backend.order(f"{moment}-{number}")
        with backend.calls.counting():
            die(backend, number, moment)
            backend.orders.drain(order_events.handler)
            backend.calls.heal()
    backend.clock.advance(3 * 3600)
    backend.sweep()
    backend.sweep()
    for device in gone:
        assert backend.subscriptions_of(device) == []
