"""A flood from one connection is answered with errors, costs no AWS call and stops nobody else."""

from lambdas import limits, websocket
from lambdas.actions.messaging import MESSAGES_PER_MINUTE
from tests.gateway.backend import Backend


def test_a_flood_is_answered_with_unavailable_and_when_to_come_back(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    flooder, other = backend.merchant("m1", "b1"), backend.merchant("m1", "b1")
    number = limits.BURST * 3
    with backend.calls.counting() as calls:
        for _ in range(number):
            flooder.send("PING")
        flooder.wait_raw(number + 1)
    answers = flooder.inbox[1:]
    refused = [answer for answer in answers if answer["type"] == "ERROR"]
    assert refused, "nothing was refused"
    assert {answer["code"] for answer in refused} == {"unavailable"}
    assert all(answer["retryAfterMs"] > 0 for answer in refused)
    assert calls == []
    assert other.ask("PING")["type"] == "PONG"


def test_a_flood_of_writes_writes_no_more_than_its_share(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    flooder = backend.merchant("m1", "b1")
    for number in range(limits.BURST * 2):
        flooder.send("subscribe_business_status", businessId=f"none-{number}")
    flooder.wait_raw(limits.BURST * 2 + 1)
    codes = [answer["code"] for answer in flooder.inbox[1:]]
    assert "unavailable" in codes
    assert set(codes) <= {"unavailable", "not_found", "forbidden"}
    assert backend.subscriptions_of(flooder) == []


def test_nobody_can_pester_another_party_without_end(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    backend.order("o1", driverId="d1")
    backend.deliver()
    driver, customer = backend.driver("d1"), backend.customer("c1")
    answers = [
        driver.ask("order_message", orderId="o1", to="customer", body=str(number))
        for number in range(MESSAGES_PER_MINUTE + 5)
    ]
    # A minute may have begun in between.
    delivered = [answer for answer in answers if answer.get("action") == "ack"]
    assert MESSAGES_PER_MINUTE <= len(delivered) <= 2 * MESSAGES_PER_MINUTE
    assert {answer["code"] for answer in answers if answer not in delivered} <= {"unavailable"}
    customer.wait(lambda _: len(customer.events("ORDER_MESSAGE")) == len(delivered))
    backend.clock.advance(61)
    again = driver.ask("order_message", orderId="o1", to="customer", body="later")
    assert again["delivered"] == 1


def test_one_connection_cannot_hold_subscriptions_without_end(backend: Backend) -> None:
    from lambdas.rows import SUBSCRIPTION_LIMIT

    device = backend.customer("c1")
    for number in range(SUBSCRIPTION_LIMIT):
        backend.business(f"b{number}", owner="m1")
        answer = device.ask("subscribe_business_status", businessId=f"b{number}")
        assert answer["action"] == "ack"
    backend.business("one-more", owner="m1")
    refused = device.ask("subscribe_business_status", businessId="one-more")
    assert (refused["type"], refused["code"]) == ("ERROR", "conflict")
    assert len(backend.subscriptions_of(device)) == SUBSCRIPTION_LIMIT
    device.ask("unsubscribe_business_status", businessId="b0")
    assert device.ask("subscribe_business_status", businessId="one-more")["action"] == "ack"


def test_the_limit_of_subscriptions_holds_for_messages_sent_at_once(backend: Backend) -> None:
    from lambdas.rows import SUBSCRIPTION_LIMIT

    device = backend.customer("c1")
    for number in range(SUBSCRIPTION_LIMIT - 2):
        backend.business(f"b{number}", owner="m1")
        device.ask("subscribe_business_status", businessId=f"b{number}")
    before = len(device.inbox)
    for number in range(6):
        backend.business(f"more-{number}", owner="m1")
    for number in range(6):
        device.send("subscribe_business_status", businessId=f"more-{number}")
    device.wait_raw(before + 6)
    assert len(backend.subscriptions_of(device)) == SUBSCRIPTION_LIMIT


def test_the_handler_forgets_connections_rather_than_grow(backend: Backend) -> None:
    limiter = limits.Limiter()
    for number in range(limits.CONNECTIONS + 10):
        limiter.wait(str(number), 0.0)
    assert len(limiter._buckets) == limits.CONNECTIONS
    assert isinstance(websocket._limiter, limits.Limiter)
