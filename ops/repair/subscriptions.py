"""Which of the former handler's subscriptions are wrong, and what mends each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ops.lifetimes import expired, is_over
from ops.paced import Row
from ops.repair.connections import may_be_merchants, unchanged
from ops.repair.decisions import Kind, Left, Mend, Surroundings, Write, facts, not_ours

TOGETHER: Final = 20
"""Subscriptions of one connection that are mended at once."""

SUBSCRIPTION: Final = (
    *("subscriptionId", "connectionId", "businessId", "entityType", "userType", "userId"),
    *("subscriptionType", "entityId", "lastUpdate", "writtenBy", "ttl"),
)
"""What is read of a subscription's row."""

NOBODY_CAN_TELL: Final = "may be a customer's: nothing in it says that it was a merchant's"

_FACTS: Final = SUBSCRIPTION[1:-1]


def is_a_devices(row: Row, now: float) -> bool:
    """Whether a subscription is of the kind that merchants' devices have, and not our handler's."""
    return (
        row.get("subscriptionType") == "business_status"
        and bool(row.get("businessId"))
        and not row.get("writtenBy")
        and not expired(row, now)
    )


def subscription_decisions(rows: Sequence[Row], around: Surroundings) -> Iterator[Mend | Left]:
    """A merchant's subscription says merchant, and goes when its connection is gone."""
    of_connection: dict[str, list[Write]] = {}
    for row in rows:
        key = str(row["subscriptionId"])
        if _is_abandoned(row) and not expired(row, around.now):
            yield Mend(writes=(_deletion("abandoned", row),))
            continue
        if not is_a_devices(row, around.now):
            continue
        name = str(row.get("connectionId") or "")
        connection = around.connections.get(name)
        if connection is None or is_over(connection, around.now):
            if _was_a_merchants(row, around):
                of_connection.setdefault(name, []).append(_deletion("orphan", row))
            else:
                yield Left(table="subscriptions", key=key, reason=NOBODY_CAN_TELL)
            continue
        if _says_merchant(row) or connection.get("businessId") != row["businessId"]:
            continue
        if connection.get("registeredBy"):
            ours = connection.get("entityType") == "merchant"
        else:
            ours = may_be_merchants(connection)
        reason = not_ours(connection, around) if ours else None
        if reason is not None:
            yield Left(table="subscriptions", key=key, reason=reason)
        elif ours:
            of_connection.setdefault(name, []).append(_retyping(row))
    for name, writes in of_connection.items():
        guard = unchanged(name, around.connections.get(name))
        for start in range(0, len(writes), TOGETHER):
            yield Mend(writes=(*writes[start : start + TOGETHER], *guard))


def _retyping(row: Row) -> Write:
    return Write(
        kind="entity type",
        table="subscriptions",
        key=str(row["subscriptionId"]),
        action="update",
        values={"entityType": "merchant", "userType": "merchant"},
        expected=facts(row, _FACTS),
    )


def _deletion(kind: Kind, row: Row) -> Write:
    return Write(
        kind=kind,
        table="subscriptions",
        key=str(row["subscriptionId"]),
        action="delete",
        values={},
        expected=facts(row, _FACTS),
    )


def _was_a_merchants(row: Row, around: Surroundings) -> bool:
    """Whether a subscription whose connection is gone was a merchant's: it, or its user, says so.

    The platform's own handler writes rows of the same kind for customers.
    """
    if _says_merchant(row):
        return True
    name, user = str(row["businessId"]), row.get("userId")
    business = around.businesses.get(name)
    return user is not None and user in {name, business.owner if business else None}


def _says_merchant(row: Row) -> bool:
    return row.get("entityType") == "merchant" and row.get("userType", "merchant") == "merchant"


def _is_abandoned(row: Row) -> bool:
    """A `merchant_<business>_<user>` row: an entityId, and no connection that it belongs to."""
    key = str(row["subscriptionId"])
    return (
        key.startswith("merchant_")
        and not key.startswith("merchant_status_")
        and "entityId" in row
        and "connectionId" not in row
        and "writtenBy" not in row
    )
