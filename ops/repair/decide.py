"""Which rows of the former handler are wrong, what mends each, and which are not ours. Pure.

Only rows that the merchant app wrote are ever touched: connections whose user may speak for the
business that they name, the `business_status` subscriptions of such, and the former handler's
abandoned `merchant_<business>_<user>` rows. What customers and drivers wrote, what registered with
the present handler and what it wrote itself stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ops.lifetimes import LIFE_SECONDS, began, expired, is_over
from ops.paced import Row

Kind = Literal["entity type", "missing subscription", "orphan", "abandoned"]
Table = Literal["connections", "subscriptions"]
Value = str | float | bool

TOGETHER: Final = 20
"""Subscriptions of one connection that are mended at once."""

CONNECTION: Final = (
    *("connectionId", "businessId", "entityType", "userType", "userId", "driverId"),
    *("connectedAt", "ttl", "isVirtualConnection", "registeredBy"),
)
"""What is read of a connection's row."""
SUBSCRIPTION: Final = (
    *("subscriptionId", "connectionId", "businessId", "entityType", "userType", "userId"),
    *("subscriptionType", "entityId", "lastUpdate", "writtenBy", "ttl"),
)
"""What is read of a subscription's row."""

BUSINESS: Final = ("businessId", "ownerId", "isActive", "acceptingOrders")
"""What is read of a business's row; it is open when neither of the two flags says no."""

_CONNECTION_FACTS: Final = ("businessId", "entityType", "userId", "connectedAt", "registeredBy")
_SUBSCRIPTION_FACTS: Final = SUBSCRIPTION[1:-1]
_MERCHANTS: Final = frozenset({"merchant", "customer", "business", "user", None})
"""What the former handler and the platform called a merchant's connection."""

BUSINESS_UNKNOWN: Final = "no such business"
NOT_THE_OWNER: Final = "its user does not own the business"
OVER: Final = "its connection is over: it expires by itself"
NOBODY_CAN_TELL: Final = "may be a customer's: nothing in it says that it was a merchant's"
NO_TIME: Final = "nobody can tell when its connection began"


@dataclass(frozen=True, kw_only=True)
class Write:
    """A change of one row, done only while `expected` stands in it (None: the attribute is absent).

    `kind` says what is mended by it; without one it goes along with another write, or is `check`,
    a mere condition. `topic` is added to the topics that a connection's row lists.
    """

    kind: Kind | None
    table: Table
    key: str
    action: Literal["update", "create", "delete", "check"]
    values: Mapping[str, Value]
    expected: Mapping[str, object]
    absent: bool = False
    """The row itself must not be there."""
    topic: str = ""


@dataclass(frozen=True, kw_only=True)
class Mend:
    """Writes that are done together or not at all: those on one connection's rows."""

    writes: tuple[Write, ...]

    @property
    def fixes(self) -> tuple[Write, ...]:
        """The writes that mend something by themselves."""
        return tuple(write for write in self.writes if write.kind is not None)


@dataclass(frozen=True, kw_only=True)
class Left:
    """A row that looks wrong and is not touched, and why."""

    table: Table
    key: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Business:
    """What a business's row says of it."""

    owner: str | None
    """The user who owns it; None where the row names none."""
    is_open: bool

    @classmethod
    def of(cls, row: Row) -> Business:
        """Read a row with the attributes BUSINESS."""
        flags = [row.get(name) for name in BUSINESS[2:]]
        known = [flag for flag in flags if isinstance(flag, bool)]
        return cls(owner=row.get("ownerId"), is_open=bool(known) and all(known))


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is known beside the rows of a page."""

    businesses: Mapping[str, Business]
    """Those of the businesses that the rows name which there are."""
    subscribed: Mapping[str, frozenset[str]]
    """Business -> connections that have a subscription to its topic."""
    connections: Mapping[str, Row]
    """Connection rows by their id, for a page of subscriptions."""
    now: float


# --- Connections ----------------------------------------------------------------------------------


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
        reason = _not_ours(row, around) if _is_current(row, around.now) else OVER
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
                    expected=_facts(row, _CONNECTION_FACTS),
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


# --- Subscriptions --------------------------------------------------------------------------------


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
        reason = _not_ours(connection, around) if ours else None
        if reason is not None:
            yield Left(table="subscriptions", key=key, reason=reason)
        elif ours:
            of_connection.setdefault(name, []).append(_retyping(row))
    for name, writes in of_connection.items():
        guard = _guard(name, around.connections.get(name))
        for start in range(0, len(writes), TOGETHER):
            yield Mend(writes=(*writes[start : start + TOGETHER], *guard))


def businesses_of(rows: Sequence[Row]) -> frozenset[str]:
    """The businesses that rows name."""
    return frozenset(str(row["businessId"]) for row in rows if row.get("businessId"))


def _retyping(row: Row) -> Write:
    return Write(
        kind="entity type",
        table="subscriptions",
        key=str(row["subscriptionId"]),
        action="update",
        values={"entityType": "merchant", "userType": "merchant"},
        expected=_facts(row, _SUBSCRIPTION_FACTS),
    )


def _deletion(kind: Kind, row: Row) -> Write:
    return Write(
        kind=kind,
        table="subscriptions",
        key=str(row["subscriptionId"]),
        action="delete",
        values={},
        expected=_facts(row, _SUBSCRIPTION_FACTS),
    )


def _guard(name: str, connection: Row | None) -> tuple[Write, ...]:
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
            expected={} if connection is None else _facts(connection, _CONNECTION_FACTS),
            absent=connection is None,
        ),
    )


# --- Whose a row is -------------------------------------------------------------------------------


def _not_ours(row: Row, around: Surroundings) -> str | None:
    """Why a connection is not one of its business's merchant, as far as anybody knows."""
    business = str(row["businessId"])
    if business not in around.businesses:
        return BUSINESS_UNKNOWN
    # Where the client knew no user it gave the business's id for one.
    owner, user = around.businesses[business].owner, row.get("userId")
    if owner is not None and user and user not in {owner, business}:
        return NOT_THE_OWNER
    return None


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


# --- Time -----------------------------------------------------------------------------------------


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


def _facts(row: Row, names: Sequence[str]) -> dict[str, object]:
    """What a decision rests on: it must still stand in the row when it is carried out."""
    return {name: row.get(name) for name in names}


def _topic(business: str) -> str:
    return f"business:{business}"
