"""Rows in the shared tables: their shapes, topics, ids and lifetimes.

Rows of the platform are read leniently, for other teams write them too; rows of ours are written
in one shape. Nothing here talks to DynamoDB.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

from lambdas.messages import EntityType

Row = Mapping[str, Any]
"""An item as plain Python values."""

OURS: Final = "order-receiver"
"""Marks what we wrote: `registeredBy` of a connection that was proved, `writtenBy` of our rows."""

CONNECTION_SECONDS: Final = 2 * 60 * 60
"""The longest that API Gateway keeps a connection open."""

MARGIN_SECONDS: Final = 10 * 60
"""How long a row may outlive the longest connection: clocks differ and writes are late."""

STATUS_ROW_SECONDS: Final = 90 * 24 * 60 * 60
"""Life of `merchant_status_<businessId>` after its last toggle. Its version lives on in the
businesses table, so that it still only grows when the row has expired."""

SUBSCRIPTION_LIMIT: Final = 50
"""Subscriptions of one connection. All of them fit into one transaction when it logs out."""


# --- Topics and ids -------------------------------------------------------------------------------


def business_topic(business_id: str) -> str:
    """Topic of the devices of a business: its orders."""
    return f"business:{business_id}"


def order_topic(order_id: str) -> str:
    """Topic of the parties of an order: its updates."""
    return f"order:{order_id}"


def status_topic(business_id: str) -> str:
    """Topic of all who want to know whether a business is open; also the id of its status row."""
    return f"merchant_status_{business_id}"


def subscription_id(connection_id: str, topic: str) -> str:
    """The one id that a connection's subscription to a topic can have."""
    return f"{connection_id}#{topic}"


# --- Time -----------------------------------------------------------------------------------------


def iso(seconds: float) -> str:
    """Seconds since the epoch as the tables and messages write them."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def seconds_of(text: object) -> float | None:
    """Seconds since the epoch of an ISO 8601 text; None when it is none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def last_second(connected_at: float) -> int:
    """The `ttl` of every row that belongs to a connection opened at `connected_at`."""
    return int(connected_at) + CONNECTION_SECONDS + MARGIN_SECONDS


def expired(row: Row, now: float) -> bool:
    """Whether DynamoDB may delete the row any time; it can take days over it."""
    ttl = row.get("ttl")
    return isinstance(ttl, int) and ttl <= now


# --- Rows that others write too -------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A row of the connections table, and what of it may be believed."""

    connection_id: str
    connected_at: float | None
    """Seconds since the epoch; None where the platform wrote nothing readable."""
    claimed_user_id: str | None
    claimed_entity_type: str | None
    identity: "Identity | None"
    """What was proved to us; None when the connection never registered here."""
    topics: frozenset[str]
    """Topics that it is subscribed to."""

    @classmethod
    def of(cls, row: Row) -> "Connection":
        """Read a row of the connections table."""
        topics = row.get("subscribedTopics")
        return cls(
            connection_id=str(row["connectionId"]),
            connected_at=seconds_of(row.get("connectedAt")),
            claimed_user_id=_text(row, "userId"),
            claimed_entity_type=_text(row, "entityType"),
            identity=Identity.of(row),
            topics=frozenset(cast("set[str]", topics)) if isinstance(topics, set) else frozenset(),
        )


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who holds a connection, as it was proved."""

    user_id: str
    entity_type: EntityType
    business_id: str | None = None
    """The business that a merchant registered for."""
    email_digest: str | None = None
    """Digest of an e-mail address that the token says is verified."""

    @classmethod
    def of(cls, row: Row) -> "Identity | None":
        """Read what was proved from a connection row; None unless we marked it."""
        user_id, entity_type = _text(row, "userId"), _text(row, "entityType")
        if row.get("registeredBy") != OURS or user_id is None or entity_type not in _ENTITY_TYPES:
            return None
        return cls(
            user_id=user_id,
            entity_type=EntityType(entity_type),
            business_id=_text(row, "businessId"),
            email_digest=_text(row, "emailDigest"),
        )

    def owns(self, business: "Business") -> bool:
        """Whether the businesses table says that this is a merchant and the business is theirs."""
        if self.entity_type is not EntityType.MERCHANT:
            return False
        if business.owner_id is not None and business.owner_id == self.user_id:
            return True
        return business.email is not None and digest(business.email) == self.email_digest


@dataclass(frozen=True, kw_only=True)
class Business:
    """A row of the businesses table."""

    business_id: str
    owner_id: str | None
    email: str | None
    is_active: bool | None
    accepting_orders: bool | None
    version: int
    """Of its last toggle through us; 0 before the first."""

    @classmethod
    def of(cls, row: Row) -> "Business":
        """Read a row of the businesses table."""
        return cls(
            business_id=str(row["businessId"]),
            owner_id=_text(row, "ownerId"),
            email=_text(row, "email"),
            is_active=_flag(row, "isActive"),
            accepting_orders=_flag(row, "acceptingOrders"),
            version=_number(row, "statusVersion"),
        )

    @property
    def is_open(self) -> bool:
        """Whether it takes orders: both flags, for other writers know only one of them."""
        flags = [flag for flag in (self.is_active, self.accepting_orders) if flag is not None]
        return bool(flags) and all(flags)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a row of the orders table says about who its parties are."""

    order_id: str
    business_id: str | None
    customer_id: str | None
    driver_id: str | None
    status: str | None

    @classmethod
    def of(cls, row: Row) -> "Order":
        """Read a row of the orders table; the customers' app calls the business `storeId`."""
        return cls(
            order_id=str(row["orderId"]),
            business_id=_text(row, "businessId") or _text(row, "storeId"),
            customer_id=_text(row, "customerId"),
            driver_id=_text(row, "driverId"),
            status=_text(row, "status"),
        )

    def has_party(self, identity: Identity, business: Business | None) -> bool:
        """Whether the order is theirs: as its customer, its driver or the owner of its business."""
        match identity.entity_type:
            case EntityType.CUSTOMER:
                return self.customer_id == identity.user_id
            case EntityType.DRIVER:
                return self.driver_id == identity.user_id
            case EntityType.MERCHANT:
                return (
                    business is not None
                    and business.business_id == self.business_id
                    and identity.owns(business)
                )


def digest(email: str) -> str:
    """What stands for an e-mail address where only equality is needed."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


_ENTITY_TYPES: Final = frozenset(EntityType)


def _text(row: Row, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) and value else None


def _flag(row: Row, name: str) -> bool | None:
    value = row.get(name)
    return value if isinstance(value, bool) else None


def _number(row: Row, name: str) -> int:
    value = row.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
