"""subscribe_order and unsubscribe_order, and who may: the parties of an order."""

from typing import NamedTuple

import msgspec
from msgspec import UNSET

from lambdas import subscriptions, tables
from lambdas.answers import OrderAck
from lambdas.configuration import Table
from lambdas.exchange import Exchange
from lambdas.identity import registered
from lambdas.messages import EntityType, ErrorCode
from lambdas.refusal import Refusal
from lambdas.requests import SubscribeOrder, UnsubscribeOrder, action_of
from lambdas.rows import Business, Connection, Identity, Order, Row, order_topic
from lambdas.tables import Value


class Party(NamedTuple):
    """A party of an order, and the order."""

    connection: Connection
    identity: Identity
    order: Order
    business: Business | None
    """The order's business; read only where the party is its merchant."""


def subscribe_order(request: SubscribeOrder, exchange: Exchange) -> OrderAck:
    """Subscribe a party of an order to it."""
    connection_row, order_row = _connection_and_order(request.order_id, exchange)
    party = party_of(connection_row, order_row, exchange)
    facts: dict[str, Value] = {"subscriptionType": "order", "orderId": request.order_id}
    if party.order.business_id is not None:
        facts["businessId"] = party.order.business_id
    if request.filter is not UNSET:
        facts["filter"] = msgspec.to_builtins(request.filter)
    key = subscriptions.subscribe(exchange, party.connection, order_topic(request.order_id), facts)
    status = party.order.status
    if party.business is None:
        # Read again after the subscription was written, so that no update falls in between. A
        # merchant's reads are used up, and its business topic brings every new order anyway.
        (row,) = tables.read((orders_table(exchange), request.order_id))
        status = Order.of(row).status if row else status
    return _ack(request, key, status, exchange)


def unsubscribe_order(request: UnsubscribeOrder, exchange: Exchange) -> OrderAck:
    """End this connection's subscription to an order, also when it is no longer a party of it."""
    connection_row, order_row = _connection_and_order(request.order_id, exchange)
    connection = Connection.of(connection_row) if connection_row else None
    registered(connection)
    try:
        status = party_of(connection_row, order_row, exchange).order.status
    except Refusal:
        status = None
    key = subscriptions.unsubscribe(exchange, connection, order_topic(request.order_id))
    return _ack(request, key, status, exchange)


def party_of(connection_row: Row | None, order_row: Row | None, exchange: Exchange) -> Party:
    """The party of an order that a connection is registered for.

    Costs a read where that is the merchant. Raises Refusal: `not_registered`, or `forbidden` for
    another's order as for one that does not exist, so that nobody learns which.
    """
    connection = Connection.of(connection_row) if connection_row else None
    identity = registered(connection)
    assert connection is not None
    order = Order.of(order_row) if order_row else None
    business = None
    if (
        order is not None
        and order.business_id is not None
        and identity.entity_type is EntityType.MERCHANT
    ):
        (row,) = tables.read((exchange.configuration.businesses, order.business_id))
        business = Business.of(row) if row else None
    if order is None or not order.has_party(identity, business):
        raise Refusal(ErrorCode.FORBIDDEN, "You are not a party of that order.")
    return Party(connection, identity, order, business)


def orders_table(exchange: Exchange) -> Table:
    """The table of orders. Raises Refusal where the stage has none."""
    if exchange.configuration.orders is None:
        raise Refusal(ErrorCode.NOT_FOUND, "There are no orders on this stage.")
    return exchange.configuration.orders


def _connection_and_order(order_id: str, exchange: Exchange) -> tuple[Row | None, Row | None]:
    connection_row, order_row = tables.read(
        (exchange.configuration.connections, exchange.connection_id),
        (orders_table(exchange), order_id),
    )
    return connection_row, order_row


def _ack(
    request: SubscribeOrder | UnsubscribeOrder, key: str, status: str | None, exchange: Exchange
) -> OrderAck:
    return OrderAck(
        timestamp=exchange.timestamp,
        original_action=action_of(type(request)),
        order_id=request.order_id,
        subscription_id=key,
        status=status or UNSET,
    )
