"""Who gets an event: decisions about rows that were already read, and nothing else.

A subscription says who asked for a topic. Whether that connection may have the event is decided
again at delivery: for a private event its row must carry the mark that we set after a proof of
identity, and must name a party of the order, or an owner of the business, as these are now.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never, cast

from lambdas.batches import shares
from lambdas.jobs import Anyone, Audience, Broadcast, Direct, Event, Merchant, Parties
from lambdas.management import is_connection_id
from lambdas.messages import EntityType
from lambdas.rows import (
    CONNECTION_SECONDS,
    MARGIN_SECONDS,
    Business,
    Identity,
    Order,
    Row,
    expired,
    seconds_of,
    subscription_id,
)

SHARE: Final = 1000
"""Connections of one queue message. Large enough to be worth an invocation, which at its first call
has to open its wires and perhaps to start; small enough that a repeated one repeats little."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a subscription wants of its topic; an empty set wants everything."""

    statuses: frozenset[str]
    entity_types: frozenset[str]

    def covers(self, event: Event) -> bool:
        """Whether the event is wanted; one that does not say its status or source always is."""
        return (not self.statuses or event.status is None or event.status in self.statuses) and (
            not self.entity_types or event.source is None or event.source in self.entity_types
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """A live subscription of a connection to the topic that is delivered."""

    subscription_id: str
    connection_id: str
    wanted: Wanted


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """An audience, with what the tables say at this moment about who belongs to it."""

    audience: Audience
    order: Order | None = None
    business: Business | None = None

    @property
    def is_public(self) -> bool:
        """Whether nobody has to be looked up, since everyone may know."""
        return isinstance(self.audience, Anyone)

    def admits(self, connection: Row | None, now: float) -> EntityType | None:
        """As what this connection may have the event; None where it may not."""
        if connection is None or is_over(connection, now, born="connectedAt"):
            return None
        identity = Identity.of(connection)
        if identity is None:
            return None
        match self.audience:
            case Anyone():
                allowed = True
            case Merchant():
                allowed = self.business is not None and identity.owns(self.business)
            case Parties():
                allowed = self.order is not None and self.order.has_party(identity, self.business)
            case _:
                assert_never(self.audience)
        return identity.entity_type if allowed else None


def cut(job: Broadcast, subscriptions: Iterable[Subscription], seen: set[str]) -> Iterator[Direct]:
    """The connections that want the event, once each, as jobs of at most SHARE connections.

    `seen` holds the connections of earlier pages, for one can have more than one subscription.
    """
    wanting: list[Subscription] = []
    for one in subscriptions:
        if one.connection_id not in seen and one.wanted.covers(job.event):
            seen.add(one.connection_id)
            wanting.append(one)
    for share in shares(wanting, SHARE):
        yield Direct(
            connection_ids=tuple(one.connection_id for one in share),
            event=job.event,
            audience=job.audience,
            correlation_id=job.correlation_id,
            topic=job.topic,
            foreign={
                one.connection_id: one.subscription_id
                for one in share
                if one.subscription_id != subscription_id(one.connection_id, job.topic)
            },
        )


def subscription(row: Row, now: float) -> Subscription | None:
    """The subscription in a row of the topic index; None where it leads to nobody.

    The shared table also holds rows without a connection (the versioned `merchant_status_<id>`
    row), rows that expired and that DynamoDB has not removed yet, and rows of other apps without a
    `ttl`, which are over when they are older than any connection can be.
    """
    connection_id = row.get("connectionId")
    if not is_connection_id(connection_id) or is_over(row, now, born="createdAt"):
        return None
    # On a business_status row isActive is the state of the business, and a business that closes is
    # exactly what its subscribers are to hear of. Everywhere else it says: given up.
    if row.get("isActive") is False and row.get("subscriptionType") != "business_status":
        return None
    wanted = row.get("filter")
    return Subscription(
        subscription_id=str(row["subscriptionId"]),
        connection_id=str(connection_id),
        wanted=_wanted(cast("Mapping[str, Any]", wanted) if isinstance(wanted, dict) else {}),
    )


def is_over(row: Row, now: float, *, born: str) -> bool:
    """Whether the row's connection cannot be alive any more; `born` names when the row began."""
    if "ttl" in row:
        return expired(row, now)
    beginning = seconds_of(row.get(born))
    return beginning is not None and beginning + CONNECTION_SECONDS + MARGIN_SECONDS <= now


def _wanted(values: Mapping[str, Any]) -> Wanted:
    return Wanted(
        statuses=_texts(values.get("statuses")), entity_types=_texts(values.get("entityTypes"))
    )


def _texts(value: object) -> frozenset[str]:
    parts = cast("list[object] | set[object]", value) if isinstance(value, (list, set)) else ()
    return frozenset(part for part in parts if isinstance(part, str))
