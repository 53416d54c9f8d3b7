"""Who gets an event: decisions about rows that were already read, and nothing else.

A subscription says who asked for a topic. Whether that connection may have the event is decided
again at delivery: for a private event the connection's row must carry the mark that we set after
a proof of identity, and must name a party of the order, or the merchant of the business, as it is
now.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, assert_never

from lambdas.items import Row, number, text, texts
from lambdas.jobs import Anyone, Audience, Event, Merchant, Parties
from lambdas.management import is_connection_id

LONGEST_LIFE: Final = 2 * 3600 + 600
"""Seconds, with a margin, after which API Gateway has ended every connection (2 h)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """What a subscription wants of its topic; an empty set wants everything."""

    statuses: frozenset[str]
    entity_types: frozenset[str]

    def passes(self, event: Event) -> bool:
        """Whether the event is wanted; one that does not say its status or source always is."""
        return (not self.statuses or event.status is None or event.status in self.statuses) and (
            not self.entity_types or event.source is None or event.source in self.entity_types
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """A live subscription of a connection to the topic that is delivered."""

    subscription_id: str
    connection_id: str
    entity_type: str | None
    filter: Filter


def subscription(row: Row, now: float) -> Subscription | None:
    """The subscription in a row of the topic index; None where nobody is to be reached through it.

    The shared table also holds rows without a connection (the versioned `merchant_status_<id>`
    row), rows that expired and that DynamoDB has not removed yet, and rows of other apps without
    a `ttl`, which are taken for dead when they are older than any connection can be.
    """
    connection_id = text(row, "connectionId")
    subscription_id = text(row, "subscriptionId")
    if subscription_id is None or connection_id is None or not is_connection_id(connection_id):
        return None
    if not is_live(row, now, born="createdAt"):
        return None
    # On a business_status row isActive is the state of the business, and a business that closes
    # is exactly what its subscribers are to hear of. Everywhere else it says that the row was
    # given up.
    if row.get("isActive") is False and text(row, "subscriptionType") != "business_status":
        return None
    wanted = row.get("filter")
    wanted = wanted if isinstance(wanted, dict) else {}
    return Subscription(
        subscription_id=subscription_id,
        connection_id=connection_id,
        entity_type=text(row, "entityType"),
        filter=Filter(
            statuses=texts(wanted, "statuses"), entity_types=texts(wanted, "entityTypes")
        ),
    )


def entitled(audience: Audience, connection: Row | None, now: float) -> str | None:
    """The entity type under which this connection may have the event; None where it may not."""
    if connection is None or not is_live(connection, now, born="connectedAt"):
        return None
    if text(connection, "registeredBy") is None:
        return None
    entity_type = text(connection, "entityType")
    match audience:
        case Anyone():
            return entity_type
        case Merchant(business_id=business_id):
            return entity_type if _is_merchant_of(connection, business_id) else None
        case Parties():
            return entity_type if _is_party(connection, audience) else None
        case _:
            assert_never(audience)


def is_live(row: Row, now: float, *, born: str) -> bool:
    """Whether the row's time has not come; `born` names the attribute with its beginning."""
    ttl = number(row, "ttl")
    if ttl is not None:
        return ttl > now
    beginning = text(row, born)
    if beginning is None:
        return True
    try:
        moment = datetime.fromisoformat(beginning)
    except ValueError:
        return True
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp() + LONGEST_LIFE > now


def _is_merchant_of(connection: Row, business_id: str | None) -> bool:
    return (
        business_id is not None
        and text(connection, "entityType") == "merchant"
        and text(connection, "businessId") == business_id
    )


def _is_party(connection: Row, parties: Parties) -> bool:
    user_id = text(connection, "userId")
    match text(connection, "entityType"):
        case "customer":
            return user_id is not None and user_id == parties.customer_id
        case "driver":
            return user_id is not None and user_id == parties.driver_id
        case "merchant":
            return _is_merchant_of(connection, parties.business_id)
        case _:
            return False
