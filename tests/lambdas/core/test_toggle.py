"""A toggle: what it writes, what it leaves alone, and when customers are told."""

import json
from typing import Any

import pytest

from lambdas.outbox import OVERDUE_SECONDS
from lambdas.rows import SUBSCRIPTION_LIMIT, business_topic, iso
from tests.gateway.backend import Backend
from tests.gateway.calls import BROKEN, Call, Refusal
from tests.gateway.devices import Device

pytestmark = pytest.mark.cloud


@pytest.fixture
def shop(backend: Backend) -> Backend:
    backend.business("b1", owner="m1")
    return backend


def toggle(device: Device, is_active: bool) -> dict[str, Any]:
    return device.ask("BUSINESS_STATUS_UPDATE", businessId="b1", isActive=is_active)


def device_row(name: str, **attributes: Any) -> dict[str, Any]:
    return {
        "subscriptionId": f"{name}_business_status_1756633098108",
        "connectionId": name,
        "businessId": "b1",
        "topic": business_topic("b1"),
        "subscriptionType": "business_status",
        "userType": "customer",
        "entityType": "customer",
        "isActive": False,
        "createdAt": iso(0),
        **attributes,
    }


def queued(backend: Backend) -> list[tuple[str, int]]:
    """Event id and version of every change that waits in the queue."""
    jobs = [json.loads(body) for body in backend.queue.peek()]
    return [
        (job["event"]["id"], job["event"]["bodies"]["anyone"]["version"])
        for job in jobs
        if job["type"] == "broadcast"
    ]


def test_both_flags_of_the_business_and_the_versioned_row_agree(shop: Backend) -> None:
    merchant = shop.merchant("m1", "b1")
    assert toggle(merchant, True)["version"] == 1
    business, status = shop.tables.businesses.get("b1"), shop.status_row("b1")
    assert business is not None
    assert status is not None
    assert (business["isActive"], business["acceptingOrders"]) == (True, True)
    assert (business["statusVersion"], status["version"]) == (1, 1)
    assert (status["isActive"], status["entityType"]) == (True, "merchant")
    assert {"createdAt", "ttl"} <= set(status)


def test_half_of_a_business_that_another_writer_changed_is_put_right(shop: Backend) -> None:
    merchant = shop.merchant("m1", "b1")
    toggle(merchant, True)
    shop.queue.client.purge_queue(QueueUrl=shop.queue.url)
    row = shop.tables.businesses.get("b1")
    assert row is not None
    shop.tables.businesses.put({**row, "acceptingOrders": False})
    toggle(merchant, True)
    assert queued(shop) == [("b1-v2", 2)], "customers saw it closed in between"


def test_the_version_goes_on_from_what_the_former_handler_left(shop: Backend) -> None:
    shop.tables.subscriptions.put(
        {
            "subscriptionId": "merchant_status_b1",
            "topic": "merchant_status_b1",
            "version": 41,
            "isActive": True,
        }
    )
    merchant = shop.merchant("m1", "b1")
    assert toggle(merchant, True)["version"] == 42


def test_the_version_only_grows_also_after_the_versioned_row_expired(shop: Backend) -> None:
    merchant = shop.merchant("m1", "b1")
    toggle(merchant, True)
    shop.tables.subscriptions.delete("merchant_status_b1")
    assert toggle(merchant, False)["version"] == 2


def test_a_toggle_to_what_already_is_has_a_version_and_tells_nobody(shop: Backend) -> None:
    merchant = shop.merchant("m1", "b1")
    toggle(merchant, True)
    assert toggle(merchant, True)["version"] == 2
    assert queued(shop) == [("b1-v1", 1)]


def test_a_device_that_has_gone_does_not_come_back_and_stops_nobody(shop: Backend) -> None:
    gone, stays = device_row("gone"), device_row("stays")
    shop.tables.subscriptions.put_all([gone, stays])
    merchant = shop.merchant("m1", "b1")

    def vanish(call: Call, _: int) -> None:
        if call.operation == "TransactWriteItems":
            shop.tables.subscriptions.delete(gone["subscriptionId"])

    shop.calls.refuse = vanish
    answer = toggle(merchant, True)
    shop.calls.heal()
    assert answer["type"] == "BUSINESS_STATUS_UPDATED"
    assert shop.tables.subscriptions.get(gone["subscriptionId"]) is None
    row = shop.tables.subscriptions.get(stays["subscriptionId"])
    assert row is not None
    assert row["isActive"] is True


def test_a_device_beyond_the_transaction_that_has_gone_does_not_come_back(shop: Backend) -> None:
    rows = [device_row(f"device-{number}", createdAt=iso(number)) for number in range(27)]
    shop.tables.subscriptions.put_all(rows)
    merchant = shop.merchant("m1", "b1")
    last = rows[-1]["subscriptionId"]

    def vanish(call: Call, _: int) -> None:
        if call.operation == "TransactWriteItems":
            shop.tables.subscriptions.delete(last)

    shop.calls.refuse = vanish
    toggle(merchant, True)
    shop.calls.heal()
    assert shop.tables.subscriptions.get(last) is None


def test_a_later_toggle_is_not_undone_by_the_rest_of_an_earlier_one(shop: Backend) -> None:
    rows = [device_row(f"device-{number}", createdAt=iso(number)) for number in range(26)]
    shop.tables.subscriptions.put_all(rows)
    merchant = shop.merchant("m1", "b1")
    last = rows[-1]["subscriptionId"]

    def overtake(call: Call, _: int) -> None:
        if call.operation == "UpdateItem":
            shop.tables.subscriptions.put({**rows[-1], "isActive": False, "version": 9})

    shop.calls.refuse = overtake
    toggle(merchant, True)
    shop.calls.heal()
    row = shop.tables.subscriptions.get(last)
    assert row is not None
    assert (row["isActive"], row["version"]) == (False, 9)


def test_rows_of_other_kinds_and_businesses_are_left_alone(shop: Backend) -> None:
    others = [
        device_row("other-kind", subscriptionType="kitchen_display"),
        device_row("other-business", businessId="b2", topic=business_topic("b2")),
    ]
    shop.tables.subscriptions.put_all(others)
    toggle(shop.merchant("m1", "b1"), True)
    for row in others:
        assert shop.tables.subscriptions.get(row["subscriptionId"]) == row


def test_where_the_event_cannot_be_queued_the_next_try_queues_it(shop: Backend) -> None:
    merchant = shop.merchant("m1", "b1")

    def no_queue(call: Call, _: int) -> Refusal | None:
        return BROKEN if call.operation == "SendMessage" else None

    shop.calls.refuse = no_queue
    assert toggle(merchant, True)["code"] == "unavailable"
    shop.calls.heal()
    assert queued(shop) == []
    assert toggle(merchant, True)["type"] == "BUSINESS_STATUS_UPDATED"
    assert queued(shop) == [("b1-v1", 1)]


def test_what_was_perhaps_not_queued_is_queued_by_a_toggle_after_a_while(shop: Backend) -> None:
    merchant = shop.merchant("m1", "b1")
    toggle(merchant, True)
    shop.queue.client.purge_queue(QueueUrl=shop.queue.url)
    shop.clock.advance(OVERDUE_SECONDS / 2)
    toggle(merchant, True)
    assert queued(shop) == []
    shop.clock.advance(OVERDUE_SECONDS)
    toggle(merchant, True)
    assert queued(shop) == [("b1-v1", 1)]


def test_what_was_perhaps_not_queued_is_queued_once_by_customers_who_come(shop: Backend) -> None:
    toggle(shop.merchant("m1", "b1"), True)
    shop.queue.client.purge_queue(QueueUrl=shop.queue.url)
    customers = [shop.device() for _ in range(3)]
    customers[0].ask("subscribe_business_status", businessId="b1")
    assert queued(shop) == []
    shop.clock.advance(OVERDUE_SECONDS + 1)
    for customer in customers[1:]:
        answer = customer.ask("subscribe_business_status", businessId="b1")
        assert (answer["isActive"], answer["version"]) == (True, 1)
    assert queued(shop) == [("b1-v1", 1)]


def test_who_subscribes_is_answered_also_when_nothing_can_be_queued(shop: Backend) -> None:
    toggle(shop.merchant("m1", "b1"), True)
    shop.queue.client.purge_queue(QueueUrl=shop.queue.url)
    customer = shop.device()
    shop.clock.advance(OVERDUE_SECONDS + 1)
    shop.calls.refuse = lambda call, _: BROKEN if call.operation == "SendMessage" else None
    answer = customer.ask("subscribe_business_status", businessId="b1")
    assert answer["originalAction"] == "subscribe_business_status"


def test_what_was_delivered_is_not_queued_again(shop: Backend) -> None:
    merchant = shop.merchant("m1", "b1")
    toggle(merchant, True)
    shop.deliver()
    shop.clock.advance(OVERDUE_SECONDS + 1)
    toggle(merchant, True)
    assert queued(shop) == []


def test_the_row_of_the_very_device_follows_also_before_the_index_shows_it(shop: Backend) -> None:
    merchant = shop.merchant("m1", "b1")
    merchant.ask("SUBSCRIBE_ORDERS", businessId="b1")
    (row,) = shop.subscriptions_of(merchant)
    # Without the range key of the index it is not in there: as one that was written just now.
    shop.tables.subscriptions.put({k: v for k, v in row.items() if k != "createdAt"})
    toggle(merchant, True)
    (row,) = shop.subscriptions_of(merchant)
    assert row["isActive"] is True


def test_a_row_that_somebody_deleted_under_a_live_device_does_not_stop_it(shop: Backend) -> None:
    merchant = shop.merchant("m1", "b1")
    merchant.ask("SUBSCRIBE_ORDERS", businessId="b1")
    (row,) = shop.subscriptions_of(merchant)
    shop.tables.subscriptions.delete(row["subscriptionId"])
    assert toggle(merchant, True)["type"] == "BUSINESS_STATUS_UPDATED"
    assert len(shop.subscriptions_of(merchant)) == 1


def test_a_connection_full_of_subscriptions_can_toggle(shop: Backend) -> None:
    merchant = shop.merchant("m1", "b1")
    row = shop.tables.connections.get(merchant.connection_id)
    assert row is not None
    topics = {f"order:{number}" for number in range(SUBSCRIPTION_LIMIT)}
    shop.tables.connections.put({**row, "subscribedTopics": topics})
    assert toggle(merchant, True)["type"] == "BUSINESS_STATUS_UPDATED"
