"""Which of the former handler's connections are wrong, and what mends each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ops.lifetimes import LIFE_SECONDS, began, expired, is_over
from ops.paced import Row
from ops.repair.decisions import Business, Left, Mend, Surroundings, Write, facts, not_ours

CONNECTION: Final = (
    *("connectionId", "businessId", "entityType", "userType", "userId", "driverId"),
    *("connectedAt", "ttl", "isVirtualConnection", "registeredBy"),
)
"""What is read of a connection's row."""

OVER: Final = "its connection is over: it expires by itself"
NO_TIME: Final = "nobody can tell when its connection began"

_FACTS: Final = ("businessId", "entityType", "userId", "connectedAt", "registeredBy")
_MERCHANTS: Final = frozenset({"merchant", "customer", "business", "user", None})
"""What the former handler and the platform called a merchant's connection."""


def may_be_merchants(row: Row) -> bool:
    """Whether a connection may be a merchant's that the former handler left as it is."""
    return (
        isinstance(row.get("businessId"), str)
        and bool(row["businessId"])
        and not row.get("isVirtualConnection")
        and not row.get("registeredBy")
        and not row.get("driverId")
        and row.get("userType") in _MERCHANTS
        and row.get("entityType") in _MERCHANTS
    )


def connection_decisions(rows: Sequence[Row], around: Surroundings) -> Iterator[Mend | Left]:
    """A merchant's connection is of type merchant, and has a subscription to its business."""
    for row in rows:
        if not may_be_merchants(row):
            continue
        key, business = str(row["connectionId"]), str(row["businessId"])
        mistyped = row.get("entityType") != "merchant"
        missing = key not in around.subscribed.get(business, frozenset())
        if not mistyped and not missing:
            continue
        reason = not_ours(row, around) if _is_current(row, around.now) else OVER
        ends = _ends(row)
        if reason is None and missing and ends is None and not mistyped:
            reason = NO_TIME
        if reason is not None:
            # A row that is over lacks nothing any more.
            if mistyped or reason != OVER:
                yield Left(table="connections", key=key, reason=reason)
            continue
        subscription = None
        if missing and ends is not None:
            subscription = _subscription(row, around.businesses[business], ends)
        yield Mend(
            writes=(
                Write(
                    kind="entity type" if mistyped else None,
                    table="connections",
                    key=key,
                    action="update",
                    values={"entityType": "merchant"},
                    expected=facts(row, _FACTS),
                    topic=_topic(business) if subscription else "",
                ),
                *((subscription,) if subscription else ()),
            )
        )


def _subscription(row: Row, of: Business, ends: float) -> Write:
    """The subscription that a merchant's connection lacks.

    It opens nothing to anybody: an event goes only to those whose registration proves them.
    """
    connection, business = str(row["connectionId"]), str(row["businessId"])
    topic = _topic(business)
    return Write(
        kind="missing subscription",
        table="subscriptions",
        key=f"{connection}#{topic}",
        action="create",
        values={
            "connectionId": connection,
            "businessId": business,
            "userId": str(row.get("userId") or business),
            "userType": "merchant",
            "entityType": "merchant",
            "subscriptionType": "business_status",
            "topic": topic,
            "isActive": of.is_open,
            "createdAt": str(row["connectedAt"]),
            "ttl": ends,
            "writtenBy": "order-receiver",
        },
        expected={},
        absent=True,
    )


def unchanged(name: str, connection: Row | None) -> tuple[Write, ...]:
    """The condition that a connection is still as it was when its subscriptions were judged."""
    if not name:
        return ()
    return (
        Write(
            kind=None,
            table="connections",
            key=name,
            action="check",
            values={},
            expected={} if connection is None else facts(connection, _FACTS),
            absent=connection is None,
        ),
    )


def _is_current(row: Row, now: float) -> bool:
    """Whether a connection may live, and its row is not about to go."""
    return not is_over(row, now) and not expired(row, now)


def _ends(row: Row) -> float | None:
    """When the rows of a connection expire: no later than it can live, or its own row does."""
    start, ttl = began(row), row.get("ttl")
    if start is None:
        return None
    ends = float(int(start) + LIFE_SECONDS)
    return min(ends, ttl) if isinstance(ttl, float) else ends


def _topic(business: str) -> str:
    return f"business:{business}"
