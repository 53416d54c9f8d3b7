"""A subscription's filter is checked, kept, and applied at delivery."""

import pytest

from tests.gateway.backend import Backend


def test_only_the_wanted_statuses_arrive(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    backend.order("o1")
    customer = backend.customer("c1")
    customer.ask("subscribe_order", orderId="o1", filter={"statuses": ["ready", "delivered"]})
    for status in ("confirmed", "preparing", "ready", "on_the_way", "delivered"):
        backend.orders.update("o1", status=status)
        backend.deliver()
    customer.wait(lambda m: m.get("status") == "delivered", "the last update")
    assert [u["status"] for u in customer.events("ORDER_UPDATE")] == ["ready", "delivered"]


def test_subscribing_again_replaces_the_filter(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    backend.order("o1")
    customer = backend.customer("c1")
    customer.ask("subscribe_order", orderId="o1", filter={"statuses": ["delivered"]})
    customer.ask("subscribe_order", orderId="o1")
    backend.orders.update("o1", status="confirmed")
    backend.deliver()
    assert customer.expect("ORDER_UPDATE")["status"] == "confirmed"
    (row,) = backend.subscriptions_of(customer)
    assert not row.get("filter")


@pytest.mark.parametrize(
    "wrong",
    [
        {"statuses": []},
        {"statuses": ["sold"]},
        {"statuses": "ready"},
        {"entityTypes": ["admin"]},
        {"colour": ["red"]},
        {"statuses": ["ready"] * 100},
        [],
        "ready",
    ],
)
def test_a_filter_that_means_nothing_is_refused(backend: Backend, wrong: object) -> None:
    backend.business("b1", owner="m1")
    backend.order("o1")
    customer = backend.customer("c1")
    answer = customer.ask("subscribe_order", orderId="o1", filter=wrong)
    assert (answer["type"], answer["code"]) == ("ERROR", "invalid")
    assert backend.subscriptions_of(customer) == []
