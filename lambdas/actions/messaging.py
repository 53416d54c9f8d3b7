"""order_message: one party of an order says something to another."""

from time import monotonic
from typing import Final

from msgspec import Raw

from lambdas import tables
from lambdas.actions.orders import Party, orders_table, party_of
from lambdas.answers import OrderMessageAck
from lambdas.exchange import Exchange
from lambdas.jobs import Direct, Event, Parties
from lambdas.messages import EntityType, ErrorCode, encode
from lambdas.refusal import Refusal
from lambdas.requests import SendOrderMessage, action_of
from lambdas.rows import OURS, Business, Identity, Row, business_topic
from lambdas.tables import ConditionFailedError, Update

MESSAGES_PER_MINUTE: Final = 30
"""Messages of one connection to other people, whichever containers serve it."""

RECIPIENTS: Final = 100
"""Connections of one recipient that a message goes to, the newest first."""

POSTING_SECONDS: Final = 5
"""How long a message may wait for its recipients; the sender waits for the number delivered."""


def send(request: SendOrderMessage, exchange: Exchange) -> OrderMessageAck:
    """Post the message to all live connections of the recipient and say how many have it."""
    connection_row, order_row = tables.read(
        (exchange.configuration.connections, exchange.connection_id),
        (orders_table(exchange), request.order_id),
    )
    party = party_of(connection_row, order_row, exchange)
    if request.to is party.identity.entity_type:
        raise Refusal(ErrorCode.INVALID, "Write to another party of the order.")
    assert connection_row is not None
    _count(party.identity, connection_row, exchange)
    business = party.business
    if request.to is EntityType.MERCHANT:
        business = _business(party, exchange)
    connection_ids = _connections(request.to, party, business, exchange)
    return OrderMessageAck(
        timestamp=exchange.timestamp,
        original_action=action_of(type(request)),
        order_id=request.order_id,
        delivered=_post(request, party, business, connection_ids, exchange),
    )


def _count(identity: Identity, row: Row, exchange: Exchange) -> None:
    """Count the message on the connection's row. Raises Refusal: `unavailable` over the limit."""
    minute = int(exchange.now // 60)
    for last in tables.turns():
        try:
            tables.update(_counting(identity, row, minute, exchange))
        except ConditionFailedError as failed:
            row = failed.row or {}
            if Identity.of(row) != identity:
                raise Refusal(ErrorCode.NOT_REGISTERED, "Send REGISTER_CONNECTION first.") from None
            # Another message of this connection may have begun the minute just now.
            if last or row.get("messagesInMinute", 0) >= MESSAGES_PER_MINUTE:
                raise Refusal(
                    ErrorCode.UNAVAILABLE,
                    f"At most {MESSAGES_PER_MINUTE} messages a minute.",
                    retry_after_ms=int((60 - exchange.now % 60) * 1000) + 1,
                ) from None
        else:
            return


def _counting(identity: Identity, row: Row, minute: int, exchange: Exchange) -> Update:
    holder = "#registeredBy = :ours AND #userId = :user"
    # A container whose clock is ahead may have begun a minute that has not come here yet.
    if row.get("messageMinute", 0) >= minute:
        expression = "ADD #messagesInMinute :one"
        condition = "#messageMinute >= :minute AND #messagesInMinute < :limit"
    else:
        expression = "SET #messageMinute = :minute, #messagesInMinute = :one"
        condition = "attribute_not_exists(#messageMinute) OR #messageMinute < :minute"
    return Update(
        table=exchange.configuration.connections,
        key=exchange.connection_id,
        expression=expression,
        condition=f"{holder} AND ({condition})",
        values={
            "ours": OURS,
            "user": identity.user_id,
            "one": 1,
            "minute": minute,
            "limit": MESSAGES_PER_MINUTE,
        },
    )


def _business(party: Party, exchange: Exchange) -> Business | None:
    if party.order.business_id is None:
        return None
    (row,) = tables.read((exchange.configuration.businesses, party.order.business_id))
    return Business.of(row) if row else None


def _connections(
    to: EntityType, party: Party, business: Business | None, exchange: Exchange
) -> list[str]:
    """Ids of connections that may be the recipient's; whether they are is checked at delivery."""
    order = party.order
    user_id = {
        EntityType.CUSTOMER: order.customer_id,
        EntityType.DRIVER: order.driver_id,
        EntityType.MERCHANT: business.owner_id if business else None,
    }[to]
    found: dict[str, None] = {}
    if user_id is not None:
        rows = tables.query_index(
            exchange.configuration.connections,
            "userId-connectedAt-index",
            "userId",
            user_id,
            limit=RECIPIENTS,
        )
        found.update(dict.fromkeys(str(row["connectionId"]) for row in rows))
    if to is EntityType.MERCHANT and business is not None:
        # Who owns it by a verified e-mail address has another user id than `ownerId`.
        from lambdas import subscribers

        page = subscribers.page(business_topic(business.business_id))
        found.update(dict.fromkeys(one.connection_id for one in page.subscriptions))
    found.pop(exchange.connection_id, None)
    return list(found)[:RECIPIENTS]


def _post(
    request: SendOrderMessage,
    party: Party,
    business: Business | None,
    connection_ids: list[str],
    exchange: Exchange,
) -> int:
    if not connection_ids:
        return 0
    # The client of the management API is nothing that another message needs.
    from lambdas import delivery
    from lambdas.audience import Admission
    from lambdas.events import OrderMessage

    event_id = f"{exchange.correlation_id}:{request.order_id}"
    message = OrderMessage(
        event_id=event_id,
        order_id=request.order_id,
        sender=party.identity.entity_type,
        body=request.body,
        timestamp=exchange.timestamp,
    )
    job = Direct(
        connection_ids=tuple(connection_ids),
        event=Event(
            id=event_id,
            type="ORDER_MESSAGE",
            occurred_at=int(exchange.now * 1000),
            bodies={request.to: Raw(encode(message))},
            source=party.identity.entity_type,
        ),
        audience=Parties(
            order_id=request.order_id,
            customer_id=party.order.customer_id,
            driver_id=party.order.driver_id,
            business_id=party.order.business_id,
        ),
        correlation_id=exchange.correlation_id,
    )
    admission = Admission(audience=job.audience, order=party.order, business=business)
    deadline = monotonic() + POSTING_SECONDS
    return delivery.deliver(job, deadline=deadline, admission=admission).delivered
