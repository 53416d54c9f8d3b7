"""Who may have an event: every decision about rows, without a table."""

from typing import Any

import pytest
from msgspec import Raw

from lambdas.audience import SHARE, Admission, Subscription, Wanted, cut, subscription
from lambdas.jobs import ANYONE, Anyone, Broadcast, Event, Merchant, Parties
from lambdas.rows import OURS, Business, Order, digest, iso

NOW = 1_767_225_600.0
BUSINESS = Business.of({"businessId": "b1", "ownerId": "m1", "email": "m1@example.com"})
ORDER = Order.of({"orderId": "o1", "businessId": "b1", "customerId": "c1", "driverId": "d1"})


def event(**changes: Any) -> Event:
    values: dict[str, Any] = {"id": "e", "type": "T", "occurred_at": 0, "bodies": {}, **changes}
    return Event(**values)


def row(**changes: Any) -> dict[str, Any]:
    values = {
        "subscriptionId": "abc=#merchant_status_b1",
        "connectionId": "abc=",
        "createdAt": iso(NOW),
        "ttl": int(NOW) + 60,
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def connection(entity_type: str, user_id: str, **changes: Any) -> dict[str, Any]:
    values = {
        "connectionId": "abc=",
        "connectedAt": iso(NOW),
        "ttl": int(NOW) + 60,
        "entityType": entity_type,
        "userId": user_id,
        "registeredBy": OURS,
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


# --- Subscriptions --------------------------------------------------------------------------------


def test_a_live_row_of_a_connection_is_a_subscription() -> None:
    found = subscription(row(), NOW)
    assert found is not None
    assert (found.connection_id, found.subscription_id) == ("abc=", "abc=#merchant_status_b1")


@pytest.mark.parametrize(
    "changes",
    [
        {"ttl": int(NOW)},
        {"ttl": int(NOW) - 1},
        {"connectionId": None},
        {"connectionId": "VIRTUAL_b1_u1_17"},
        {"connectionId": "not a connection"},
        {"ttl": None, "createdAt": iso(NOW - 3 * 3600)},
        {"isActive": False, "subscriptionType": "order"},
        {"isActive": False},
    ],
)
def test_a_row_that_leads_to_nobody_is_no_subscription(changes: dict[str, Any]) -> None:
    assert subscription(row(**changes), NOW) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"isActive": False, "subscriptionType": "business_status"},
        {"isActive": True, "subscriptionType": "order"},
        {"ttl": None},
        {"ttl": None, "createdAt": None},
        {"ttl": None, "createdAt": "yesterday"},
        {"subscriptionId": "abc=_business_status_1756633098108"},
    ],
)
def test_a_row_of_another_app_or_of_a_closed_business_is_one(changes: dict[str, Any]) -> None:
    assert subscription(row(**changes), NOW) is not None


# --- Filters --------------------------------------------------------------------------------------


def wanted(**values: Any) -> Wanted:
    found = subscription(row(filter=values), NOW)
    assert found is not None
    return found.wanted


def test_without_a_filter_everything_is_wanted() -> None:
    assert wanted().covers(event(status="pending", source="merchant"))


def test_a_filter_of_statuses_lets_only_these_pass() -> None:
    only = wanted(statuses=["ready", "delivered"])
    assert only.covers(event(status="ready"))
    assert not only.covers(event(status="pending"))


def test_a_filter_of_entity_types_looks_at_whom_an_event_comes_from() -> None:
    only = wanted(entityTypes={"driver"})
    assert only.covers(event(source="driver"))
    assert not only.covers(event(source="merchant"))


def test_both_filters_have_to_pass() -> None:
    only = wanted(statuses=["ready"], entityTypes=["merchant"])
    assert only.covers(event(status="ready", source="merchant"))
    assert not only.covers(event(status="ready", source="driver"))


def test_an_event_that_does_not_say_is_never_held_back() -> None:
    assert wanted(statuses=["ready"], entityTypes=["driver"]).covers(event())


@pytest.mark.parametrize("broken", ["ready", 7, {"statuses": 7}, [], {"statuses": [7, None]}])
def test_a_filter_that_nobody_can_read_filters_nothing(broken: object) -> None:
    found = subscription(row(filter=broken), NOW)
    assert found is not None
    assert found.wanted.covers(event(status="pending"))


# --- Admission ------------------------------------------------------------------------------------

PARTIES = Admission(audience=Parties(order_id="o1"), order=ORDER, business=BUSINESS)
OWNERS = Admission(audience=Merchant(business_id="b1"), business=BUSINESS)


@pytest.mark.parametrize(
    ("entity_type", "user_id", "more"),
    [
        ("customer", "c1", {}),
        ("driver", "d1", {}),
        ("merchant", "m1", {"businessId": "b1"}),
        ("merchant", "m9", {"businessId": "b1", "emailDigest": digest("m1@example.com")}),
    ],
)
def test_a_party_of_the_order_may_have_it(
    entity_type: str, user_id: str, more: dict[str, Any]
) -> None:
    assert PARTIES.admits(connection(entity_type, user_id, **more), NOW) == entity_type


@pytest.mark.parametrize(
    ("entity_type", "user_id", "more"),
    [
        ("customer", "c2", {}),
        ("driver", "d2", {}),
        ("customer", "d1", {}),
        ("driver", "c1", {}),
        ("merchant", "m2", {"businessId": "b1"}),
        ("merchant", "m2", {"emailDigest": digest("other@example.com")}),
        ("customer", "c1", {"registeredBy": None}),
        ("customer", "c1", {"registeredBy": "someone else"}),
        ("customer", "c1", {"ttl": int(NOW)}),
        ("user", "c1", {}),
        ("customer", None, {}),
    ],
)
def test_nobody_else_may(entity_type: str, user_id: str, more: dict[str, Any]) -> None:
    assert PARTIES.admits(connection(entity_type, user_id, **more), NOW) is None


def test_a_connection_without_a_row_may_not() -> None:
    assert PARTIES.admits(None, NOW) is None


def test_a_driver_of_whom_the_order_was_taken_may_not() -> None:
    order = Order.of({"orderId": "o1", "businessId": "b1", "customerId": "c1", "driverId": "d2"})
    now = Admission(audience=Parties(order_id="o1", driver_id="d1"), order=order, business=BUSINESS)
    assert now.admits(connection("driver", "d1"), NOW) is None


def test_an_order_without_a_driver_is_not_for_a_driver_without_an_id() -> None:
    order = Order.of({"orderId": "o1", "businessId": "b1"})
    now = Admission(audience=Parties(order_id="o1"), order=order, business=BUSINESS)
    assert now.admits(connection("driver", ""), NOW) is None


def test_only_an_owner_gets_what_is_for_the_merchant() -> None:
    assert OWNERS.admits(connection("merchant", "m1", businessId="b1"), NOW) == "merchant"
    assert OWNERS.admits(connection("merchant", "m2", businessId="b1"), NOW) is None
    assert OWNERS.admits(connection("customer", "m1", businessId="b1"), NOW) is None


def test_nobody_owns_a_business_that_is_not_there() -> None:
    gone = Admission(audience=Merchant(business_id="b1"))
    assert gone.admits(connection("merchant", "m1", businessId="b1"), NOW) is None


# --- Shares ---------------------------------------------------------------------------------------


def subscriptions(number: int, topic: str) -> list[Subscription]:
    found = (
        subscription(row(connectionId=f"c{i}", subscriptionId=f"c{i}#{topic}"), NOW)
        for i in range(number)
    )
    return [one for one in found if one is not None]


def job(topic: str = "t") -> Broadcast:
    bodies = {ANYONE: Raw(b"{}")}
    return Broadcast(topic=topic, event=event(bodies=bodies), audience=Anyone(), correlation_id="x")


def test_an_audience_is_cut_into_shares_that_together_are_all_of_it() -> None:
    shares = list(cut(job(), subscriptions(2 * SHARE + 1, "t"), set()))
    assert [len(share.connection_ids) for share in shares] == [SHARE, SHARE, 1]
    assert len({one for share in shares for one in share.connection_ids}) == 2 * SHARE + 1


def test_a_connection_with_two_subscriptions_is_in_one_share_once() -> None:
    seen: set[str] = set()
    first = list(cut(job(), subscriptions(2, "t") * 2, seen))
    assert [share.connection_ids for share in first] == [("c0", "c1")]
    assert list(cut(job(), subscriptions(2, "t"), seen)) == []


def test_a_share_carries_the_subscription_ids_that_are_not_ours() -> None:
    found = subscription(row(connectionId="c0", subscriptionId="c0_business_status_17"), NOW)
    assert found is not None
    (share,) = cut(job(), [found, *subscriptions(2, "t")[1:]], set())
    assert share.foreign == {"c0": "c0_business_status_17"}
