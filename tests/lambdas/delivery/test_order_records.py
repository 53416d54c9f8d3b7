"""What a record of the orders stream is taken for, without a table."""

from typing import Any

import msgspec
import pytest

from lambdas.items import UnreadableItemError, plain
from lambdas.jobs import ANYONE, Merchant, Parties
from lambdas.order_records import UnreadableRecordError, events, read
from lambdas.orders import UnreadableOrderError
from tests.gateway.tables import to_image

ORDER: dict[str, Any] = {
    "orderId": "o1",
    "businessId": "b1",
    "customerId": "c1",
    "customerName": "Layla",
    "customerPhone": "+964 770 000 0000",
    "driverId": "d1",
    "driverPhone": "+964 780 000 0000",
    "deliveryAddress": {"street": "Karrada 12"},
    "items": [{"name": "tea", "quantity": 2, "price": 1.25}],
    "totalAmount": 12.5,
    "merchantPayout": 10,
    "commission": 2.5,
    "status": "pending",
    "createdAt": "2026-01-01T00:00:00.000Z",
    "updatedAt": "2026-01-01T00:00:00.000Z",
}


def record(
    name: str, new: dict[str, Any] | None, old: dict[str, Any] | None = None
) -> dict[str, Any]:
    change: dict[str, Any] = {"SequenceNumber": "7", "ApproximateCreationDateTime": 1767225600.0}
    if new is not None:
        change["NewImage"] = to_image({k: v for k, v in new.items() if v is not None})
    if old is not None:
        change["OldImage"] = to_image({k: v for k, v in old.items() if v is not None})
    return {"eventID": "event-1", "eventName": name, "dynamodb": change}


def decided(
    name: str, new: dict[str, Any] | None, old: dict[str, Any] | None = None
) -> list[tuple[str, Any]]:
    """Each event with the message that it brings."""
    change = read(record(name, new, old))
    assert change is not None
    return [
        (one.event.type, msgspec.json.decode(next(iter(one.event.bodies.values()))))
        for one in events(change)
    ]


# --- New orders -----------------------------------------------------------------------------------


def test_a_new_order_is_for_the_merchant_of_its_business() -> None:
    change = read(record("INSERT", ORDER))
    assert change is not None
    (one,) = events(change)
    assert one.topic == "business:b1"
    assert one.audience == Merchant(business_id="b1")
    assert set(one.event.bodies) == {"merchant"}
    assert (one.event.id, one.event.type) == ("event-1", "NEW_ORDER")
    assert one.event.occurred_at == 1767225600000


def test_a_new_order_carries_what_the_merchant_app_reads() -> None:
    ((_, message),) = decided("INSERT", ORDER)
    assert (message["type"], message["eventId"]) == ("NEW_ORDER", "event-1")
    assert message["payload"]["aps"]["category"] == "NEW_ORDER_CATEGORY"
    assert message["payload"]["aps"]["mutable-content"] == 1
    data = message["payload"]["data"]
    assert (data["orderId"], data["businessId"], data["totalAmount"]) == ("o1", "b1", 12.5)
    assert [action["id"] for action in data["actions"]] == ["ACCEPT_ORDER", "REJECT_ORDER"]


@pytest.mark.parametrize("private", ["driverPhone", "merchantPayout", "commission", "driverId"])
def test_a_new_order_tells_nothing_that_was_not_chosen(private: str) -> None:
    ((_, message),) = decided("INSERT", ORDER)
    assert private not in message["payload"]["data"]


def test_a_store_of_the_customers_app_is_a_business() -> None:
    stored = {**ORDER, "businessId": None, "storeId": "b7"}
    change = read(record("INSERT", stored))
    assert change is not None
    (one,) = events(change)
    assert one.topic == "business:b7"
    assert one.audience == Merchant(business_id="b7")


def test_an_order_that_starts_to_wait_later_is_new_then() -> None:
    types = [one for one, _ in decided("MODIFY", ORDER, {**ORDER, "status": "awaiting_payment"})]
    assert types == ["NEW_ORDER", "ORDER_UPDATE"]


def test_two_events_of_one_record_have_two_ids() -> None:
    found = decided("MODIFY", ORDER, {**ORDER, "status": "awaiting_payment"})
    assert len({message["eventId"] for _, message in found}) == 2


# --- Changes --------------------------------------------------------------------------------------


def test_a_change_of_status_is_for_the_parties_of_the_order() -> None:
    change = read(record("MODIFY", {**ORDER, "status": "confirmed"}, ORDER))
    assert change is not None
    (one,) = events(change)
    assert one.topic == "order:o1"
    assert one.audience == Parties(
        order_id="o1", customer_id="c1", driver_id="d1", business_id="b1"
    )
    assert set(one.event.bodies) == {ANYONE}
    assert (one.event.status, one.event.source) == ("confirmed", "merchant")


def test_a_change_says_what_was_and_what_is() -> None:
    ((_, message),) = decided("MODIFY", {**ORDER, "status": "confirmed"}, ORDER)
    assert (message["orderId"], message["status"]) == ("o1", "confirmed")
    assert message["previousStatus"] == "pending"


@pytest.mark.parametrize(
    "private",
    ["totalAmount", "merchantPayout", "commission", "driverPhone", "customerPhone", "items"],
)
def test_a_change_tells_no_party_what_another_must_not_see(private: str) -> None:
    ((_, message),) = decided("MODIFY", {**ORDER, "status": "ready"}, ORDER)
    assert private not in message


@pytest.mark.parametrize(
    "changes",
    [
        {"notes": "ring twice"},
        {"updatedAt": "2026-01-01T00:00:09.000Z"},
        {"updatedAt": "2026-01-01T00:00:09.000Z", "version": 4},
        {"driverPhone": "+964 1"},
    ],
)
def test_a_change_of_what_nobody_is_told_is_no_event(changes: dict[str, Any]) -> None:
    assert decided("MODIFY", {**ORDER, **changes}, ORDER) == []


@pytest.mark.parametrize("changes", [{"driverId": "d2"}, {"estimatedPreparationTime": 40}])
def test_a_change_of_what_they_are_told_is_one(changes: dict[str, Any]) -> None:
    ((kind, message),) = decided("MODIFY", {**ORDER, **changes}, ORDER)
    assert kind == "ORDER_UPDATE"
    assert "previousStatus" not in message


def test_without_old_images_every_change_is_told() -> None:
    ((kind, _),) = decided("MODIFY", {**ORDER, "status": "ready"})
    assert kind == "ORDER_UPDATE"


def test_a_deletion_is_told_to_nobody() -> None:
    assert read(record("REMOVE", None, ORDER)) is None


# --- What nobody can read -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"eventName": "INSERT"},
        {"eventName": "INSERT", "eventID": "e"},
        {"eventName": "INSERT", "eventID": "e", "dynamodb": "x"},
        {"eventName": "INSERT", "eventID": "e", "dynamodb": {"Keys": {}}},
        {"eventName": "COPY", "eventID": "e", "dynamodb": {"NewImage": {}}},
    ],
)
def test_what_is_no_record_is_said_to_be_none(broken: dict[str, Any]) -> None:
    with pytest.raises(UnreadableRecordError):
        read(broken)


@pytest.mark.parametrize(
    "image",
    [7, {"orderId": "o1"}, {"orderId": {"X": "o1"}}, {"orderId": {"N": "one"}}, {"a": {"M": []}}],
)
def test_what_is_no_image_is_said_to_be_none(image: object) -> None:
    with pytest.raises(UnreadableItemError):
        read({"eventName": "INSERT", "eventID": "e", "dynamodb": {"NewImage": image}})


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("INSERT", {"orderId": None}),
        ("INSERT", {"businessId": None}),
        ("MODIFY", {"status": None}),
        ("MODIFY", {"status": 7}),
    ],
)
def test_an_order_that_says_too_little_is_unreadable(name: str, changes: dict[str, Any]) -> None:
    change = read(record(name, {**ORDER, **changes}))
    assert change is not None
    with pytest.raises(UnreadableOrderError):
        events(change)


@pytest.mark.parametrize(
    "changes",
    [
        {"items": "tea"},
        {"totalAmount": "12.5"},
        {"customerName": 7},
        {"notes": ["ring"]},
        {"totalAmount": True},
        {"version": "4"},
    ],
)
def test_an_attribute_of_the_wrong_kind_is_left_out(changes: dict[str, Any]) -> None:
    ((_, message),) = decided("INSERT", {**ORDER, **changes})
    (name,) = changes
    assert name not in message["payload"]["data"]


def test_items_become_plain_values() -> None:
    row = {"s": "a", "n": 3, "f": 1.5, "b": True, "z": None, "l": [1, {"m": "x"}], "t": {"a", "b"}}
    assert plain(to_image(row)) == row
