"""What repair calls wrong, what it leaves alone and why: judged without any table."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ops.paced import plain
from ops.repair import connections, decisions, subscriptions
from ops.repair.connections import connection_decisions
from ops.repair.decisions import Business, Left, Mend, Surroundings
from ops.repair.subscriptions import subscription_decisions
from tests.gateway.tables import to_image
from tests.ops.repair.rows import BUSINESS, OWNER, abandoned, at, connection, subscription


def _around(
    *connections: dict[str, Any], owners: dict[str, str | None] | None = None, subscribed: str = ""
) -> Surroundings:
    return Surroundings(
        businesses={
            name: Business(owner=owner, is_open=True)
            for name, owner in ({BUSINESS: OWNER} if owners is None else owners).items()
        },
        subscribed={BUSINESS: frozenset({subscribed})},
        connections={row["connectionId"]: plain(to_image(row)) for row in connections},
        now=time.time(),
    )


def _of_connection(row: dict[str, Any], around: Surroundings | None = None) -> list[Mend | Left]:
    read = plain(to_image(row))
    return list(connection_decisions([read], around or _around(subscribed=row["connectionId"])))


def _of_subscription(row: dict[str, Any], around: Surroundings) -> list[Mend | Left]:
    return list(subscription_decisions([plain(to_image(row))], around))


def _kinds(decisions: list[Mend | Left]) -> list[str | None]:
    return [
        write.kind
        for decision in decisions
        for write in (decision.fixes if isinstance(decision, Mend) else ())
    ]


def _reasons(decisions: list[Mend | Left]) -> list[str]:
    return [decision.reason for decision in decisions if isinstance(decision, Left)]


# --- Connections ----------------------------------------------------------------------------------


def test_a_merchants_connection_that_calls_itself_a_customer_is_wrong() -> None:
    (mend,) = _of_connection(connection())
    assert isinstance(mend, Mend)
    (fix,) = mend.fixes
    assert (fix.kind, fix.values) == ("entity type", {"entityType": "merchant"})
    assert fix.expected["entityType"] == "customer"
    assert fix.expected["registeredBy"] is None


@pytest.mark.parametrize(
    "other",
    [
        {"entityType": "merchant"},
        {"entityType": "driver"},
        {"businessId": None},
        {"isVirtualConnection": True},
        {"registeredBy": "order-receiver"},
        {"userType": "driver"},
        {"driverId": "d1"},
    ],
    ids=[
        "right already",
        "driver",
        "no business",
        "virtual",
        "registered",
        "central's",
        "driver's",
    ],
)
def test_other_connections_are_none_of_our_business(other: dict[str, Any]) -> None:
    assert _of_connection(connection(**other)) == []


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"userId": "a-customer"}, decisions.NOT_THE_OWNER),
        ({"businessId": "nobodys"}, decisions.BUSINESS_UNKNOWN),
        ({"ttl": int(time.time()) - 1}, connections.OVER),
        ({"connectedAt": at(3 * 3600)}, connections.OVER),
    ],
    ids=["a customer looking at the shop", "no such business", "expired", "older than two hours"],
)
def test_a_connection_that_may_not_be_the_merchants_is_left_alone_with_the_reason(
    other: dict[str, Any], reason: str
) -> None:
    decisions = _of_connection(connection(**other))
    assert (_kinds(decisions), _reasons(decisions)) == ([], [reason])


@pytest.mark.parametrize("user", [BUSINESS, None], ids=["the business's id", "none"])
def test_a_client_that_knew_no_user_is_its_merchant(user: str | None) -> None:
    assert _kinds(_of_connection(connection(userId=user))) == ["entity type"]


def test_where_the_business_names_no_owner_its_name_on_the_connection_counts() -> None:
    around = _around(owners={BUSINESS: None}, subscribed="m1=")
    assert _kinds(_of_connection(connection(userId="anybody"), around)) == ["entity type"]


def test_a_merchant_without_a_subscription_gets_one_and_both_rows_change_together() -> None:
    row = connection(entityType="merchant")
    (mend,) = _of_connection(row, _around())
    assert isinstance(mend, Mend)
    listed, created = mend.writes
    assert (listed.kind, listed.table, listed.topic) == (None, "connections", "business:business_1")
    assert (created.kind, created.key) == ("missing subscription", "m1=#business:business_1")
    assert created.absent


def test_a_subscription_that_was_missing_ends_no_later_than_its_connection_can_live() -> None:
    now = int(time.time())
    row = connection(entityType="merchant", connectedAt=at(60), ttl=now + 86400)
    (mend,) = _of_connection(row, _around())
    assert isinstance(mend, Mend)
    assert abs(float(mend.writes[1].values["ttl"]) - (now - 60 + 2 * 3600 + 600)) <= 1


def test_a_connection_without_a_time_gets_its_type_and_no_subscription() -> None:
    assert _kinds(_of_connection(connection(connectedAt=None), _around())) == ["entity type"]
    decisions = _of_connection(connection(connectedAt=None, entityType="merchant"), _around())
    assert _reasons(decisions) == [connections.NO_TIME]


# --- Subscriptions --------------------------------------------------------------------------------


def test_a_merchants_subscription_that_says_customer_is_wrong() -> None:
    row = subscription(entityType="customer", userType="customer")
    assert _kinds(_of_subscription(row, _around(connection()))) == ["entity type"]


@pytest.mark.parametrize(
    "other",
    [
        {"businessId": None},
        {"businessId": "business_2"},
        {"entityType": "driver"},
        {"registeredBy": "order-receiver"},
    ],
    ids=["a customer", "a merchant of another business", "a driver", "a registered customer"],
)
def test_others_who_watch_the_business_keep_their_subscriptions(other: dict[str, Any]) -> None:
    row = subscription(entityType="customer", userType="customer")
    assert _of_subscription(row, _around(connection(**other))) == []


def test_a_registered_merchants_old_subscription_is_mended() -> None:
    row = subscription(userType="customer")
    registered = connection(entityType="merchant", registeredBy="order-receiver")
    assert _kinds(_of_subscription(row, _around(registered))) == ["entity type"]


def test_a_merchants_subscription_goes_only_while_its_connection_is_gone() -> None:
    (mend,) = _of_subscription(subscription(), _around())
    assert isinstance(mend, Mend)
    gone, guard = mend.writes
    assert (gone.kind, gone.action) == ("orphan", "delete")
    assert (guard.table, guard.key, guard.absent) == ("connections", "m1=", True)


def test_a_connection_that_cannot_live_any_more_is_gone() -> None:
    around = _around(connection(connectedAt=at(3 * 3600)))
    assert _kinds(_of_subscription(subscription(), around)) == ["orphan"]


def test_an_old_row_that_expired_too_early_does_not_orphan_what_hangs_on_it() -> None:
    around = _around(connection(entityType="merchant", ttl=int(time.time()) - 1))
    assert _of_subscription(subscription(), around) == []


@pytest.mark.parametrize("user", [OWNER, BUSINESS])
def test_an_orphan_that_says_customer_goes_where_its_user_was_the_merchant(user: str) -> None:
    row = subscription(entityType="customer", userType="customer", userId=user)
    assert _kinds(_of_subscription(row, _around())) == ["orphan"]


def test_an_orphan_that_may_be_a_customers_is_left_alone() -> None:
    row = subscription(entityType="customer", userType="customer", userId="a-customer")
    assert _reasons(_of_subscription(row, _around())) == [subscriptions.NOBODY_CAN_TELL]


@pytest.mark.parametrize(
    "other",
    [
        {"subscriptionType": "merchant_status"},
        {"subscriptionType": "order"},
        {"writtenBy": "order-receiver"},
        {"ttl": int(time.time()) - 1},
    ],
    ids=["a customer's", "an order's", "the present handler's", "expired"],
)
def test_other_subscriptions_are_left_alone_also_when_their_connection_is_gone(
    other: dict[str, Any],
) -> None:
    assert _of_subscription(subscription(**other), _around()) == []


def test_an_abandoned_merchant_row_goes_and_the_versioned_status_row_stays() -> None:
    assert _kinds(_of_subscription(abandoned(), _around())) == ["abandoned"]
    assert _of_subscription(abandoned(f"merchant_status_{BUSINESS}"), _around()) == []


def test_very_many_orphans_of_one_connection_go_in_several_mends() -> None:
    rows = [plain(to_image(subscription(f"m1=_business_status_{n}"))) for n in range(50)]
    mends = list(subscription_decisions(rows, _around()))
    assert [len(mend.fixes) for mend in mends if isinstance(mend, Mend)] == [20, 20, 10]
