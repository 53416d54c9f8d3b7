"""What can be decided about a row that the former handler left, and what is known when it is. Pure.

Only rows that the merchant app wrote are ever touched: connections whose user may speak for the
business that they name, the `business_status` subscriptions of such, and the former handler's
abandoned `merchant_<business>_<user>` rows. What customers and drivers wrote, what registered with
the present handler and what it wrote itself stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from ops.paced import Row

Kind = Literal["entity type", "missing subscription", "orphan", "abandoned"]
Table = Literal["connections", "subscriptions"]
Value = str | float | bool

BUSINESS: Final = ("businessId", "ownerId", "isActive", "acceptingOrders")
"""What is read of a business's row; it is open when neither of the two flags says no."""

BUSINESS_UNKNOWN: Final = "no such business"
NOT_THE_OWNER: Final = "its user does not own the business"


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


def businesses_of(rows: Sequence[Row]) -> frozenset[str]:
    """The businesses that rows name."""
    return frozenset(str(row["businessId"]) for row in rows if row.get("businessId"))


def not_ours(row: Row, around: Surroundings) -> str | None:
    """Why a connection is not one of its business's merchant, as far as anybody knows."""
    business = str(row["businessId"])
    if business not in around.businesses:
        return BUSINESS_UNKNOWN
    # Where the client knew no user it gave the business's id for one.
    owner, user = around.businesses[business].owner, row.get("userId")
    if owner is not None and user and user not in {owner, business}:
        return NOT_THE_OWNER
    return None


def facts(row: Row, names: Sequence[str]) -> dict[str, object]:
    """What a decision rests on: it must still stand in the row when it is carried out."""
    return {name: row.get(name) for name in names}
