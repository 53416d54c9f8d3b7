"""Subscriptions: one row each, listed on the connection, never more than a connection may have."""

import threading

import pytest

from lambdas.rows import SUBSCRIPTION_LIMIT, order_topic, status_topic
from tests.gateway.backend import Backend

pytestmark = pytest.mark.cloud


def topics_of(backend: Backend, connection_id: str) -> set[str]:
    row = backend.tables.connections.get(connection_id) or {}
    return set(row.get("subscribedTopics", ()))


def test_a_subscription_is_listed_on_its_connection_until_it_ends(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    customer = backend.customer("c1")
    customer.ask("subscribe_business_status", businessId="b1")
    assert topics_of(backend, customer.connection_id) == {status_topic("b1")}
    customer.ask("unsubscribe_business_status", businessId="b1")
    assert topics_of(backend, customer.connection_id) == set()
    assert backend.subscriptions_of(customer) == []


def test_subscribing_again_changes_nothing_but_the_filter(backend: Backend) -> None:
    backend.order("o1")
    customer = backend.customer("c1")
    narrow = {"statuses": ["ready"], "entityTypes": ["merchant"]}
    customer.ask("subscribe_order", orderId="o1", filter=narrow)
    (first,) = backend.subscriptions_of(customer)
    assert first["filter"] == narrow
    customer.ask("subscribe_order", orderId="o1")
    (again,) = backend.subscriptions_of(customer)
    assert "filter" not in again
    assert again["createdAt"] == first["createdAt"]
    assert topics_of(backend, customer.connection_id) == {order_topic("o1")}


def test_a_connection_has_a_limited_number_of_subscriptions(backend: Backend) -> None:
    customer = backend.device()
    for number in range(SUBSCRIPTION_LIMIT + 1):
        backend.business(f"b{number}", owner="m1")
    for number in range(SUBSCRIPTION_LIMIT):
        customer.ask("subscribe_business_status", businessId=f"b{number}")
    one_more = {"businessId": f"b{SUBSCRIPTION_LIMIT}"}
    assert customer.ask("subscribe_business_status", **one_more)["code"] == "conflict"
    assert customer.ask("subscribe_business_status", businessId="b0")["action"] == "ack"
    customer.ask("unsubscribe_business_status", businessId="b0")
    assert customer.ask("subscribe_business_status", **one_more)["action"] == "ack"
    assert len(backend.subscriptions_of(customer)) == SUBSCRIPTION_LIMIT


def test_subscriptions_at_the_same_moment_do_not_pass_the_limit(backend: Backend) -> None:
    customer = backend.device()
    numbers = range(SUBSCRIPTION_LIMIT + 6)
    for number in numbers:
        backend.business(f"b{number}", owner="m1")
    for number in range(SUBSCRIPTION_LIMIT - 2):
        customer.ask("subscribe_business_status", businessId=f"b{number}")
    late = [number for number in numbers if number >= SUBSCRIPTION_LIMIT - 2]
    answers: list[str] = []

    def subscribe(number: int) -> None:
        answer = customer.ask("subscribe_business_status", businessId=f"b{number}")
        answers.append(str(answer.get("code", "ok")))

    threads = [threading.Thread(target=subscribe, args=(number,)) for number in late]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count("ok") == 2
    assert set(answers) == {"ok", "conflict"}
    assert len(backend.subscriptions_of(customer)) == SUBSCRIPTION_LIMIT


def test_a_connection_that_has_gone_leaves_no_new_subscription(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    device = backend.merchant("m1", "b1")
    stale = backend.tables.connections.get(device.connection_id)
    assert stale is not None
    before = backend.calls.refuse

    def vanish(call: object, _: int) -> None:
        if getattr(call, "operation", "") == "TransactWriteItems":
            backend.tables.connections.delete(device.connection_id)

    backend.calls.refuse = vanish
    answer = device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.calls.refuse = before
    assert answer["code"] == "conflict"
    assert backend.subscriptions_of(device) == []
    assert backend.tables.connections.get(device.connection_id) is None


def test_unsubscribing_works_for_a_connection_that_is_on_record_no_more(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    customer = backend.device()
    customer.ask("subscribe_business_status", businessId="b1")
    backend.tables.connections.delete(customer.connection_id)
    assert customer.ask("unsubscribe_business_status", businessId="b1")["action"] == "ack"
    assert backend.subscriptions_of(customer) == []
    assert backend.tables.connections.get(customer.connection_id) is None


def test_an_order_can_be_left_by_who_is_no_party_any_more_and_tells_nothing(
    backend: Backend,
) -> None:
    backend.order("o1", driverId="d1")
    driver = backend.driver("d1")
    driver.ask("subscribe_order", orderId="o1")
    backend.order("o1", driverId="d2", status="ready")
    answer = driver.ask("unsubscribe_order", orderId="o1")
    assert "status" not in answer
    assert backend.subscriptions_of(driver) == []


def test_the_answer_holds_the_state_of_now(backend: Backend) -> None:
    backend.business("b1", owner="m1", isActive=True, acceptingOrders=True)
    backend.tables.subscriptions.put({"subscriptionId": status_topic("b1"), "version": 7})
    customer = backend.customer("c1")
    answer = customer.ask("subscribe_business_status", businessId="b1")
    assert (answer["isActive"], answer["version"]) == (True, 7)
    merchant = backend.merchant("m1", "b1")
    toggled = merchant.ask("BUSINESS_STATUS_UPDATE", businessId="b1", isActive=False)
    assert toggled["version"] == 8
    again = customer.ask("subscribe_business_status", businessId="b1")
    assert (again["isActive"], again["version"]) == (False, 8)
