"""SUBSCRIBE_ORDERS, subscribe_business_status and unsubscribe_business_status.

The state in an answer is read after the subscription has been written: what happens later comes as
an event, what happened before stands in the answer, and nothing falls in between.
"""

from msgspec import UNSET

from lambdas import jobs, outbox, subscriptions, tables
from lambdas.answers import BusinessAck, Subscribed
from lambdas.configuration import Table
from lambdas.exchange import Exchange
from lambdas.identity import merchant_of
from lambdas.messages import ErrorCode
from lambdas.observability import holder
from lambdas.refusal import Refusal
from lambdas.requests import (
    SubscribeBusinessStatus,
    SubscribeOrders,
    UnsubscribeBusinessStatus,
    action_of,
)
from lambdas.rows import (
    Business,
    Connection,
    Row,
    business_topic,
    status_topic,
)
from lambdas.tables import Value


def subscribe_orders(request: SubscribeOrders, exchange: Exchange) -> Subscribed:
    """Subscribe a merchant's device to the orders of its business, and send those that wait."""
    configuration = exchange.configuration
    row, business_row = tables.read(
        (configuration.connections, exchange.connection_id),
        (configuration.businesses, request.business_id),
    )
    connection = _connection(row)
    _, business = merchant_of(
        connection, request.business_id, Business.of(business_row) if business_row else None
    )
    assert connection is not None
    subscriptions.subscribe(
        exchange,
        connection,
        business_topic(request.business_id),
        business_status_facts(request.business_id, is_active=business.is_open),
    )
    jobs.enqueue(
        jobs.Snapshot(
            connection_id=exchange.connection_id,
            business_id=request.business_id,
            correlation_id=exchange.correlation_id,
        )
    )
    return Subscribed(timestamp=exchange.timestamp, business_id=request.business_id)


def business_status_facts(business_id: str, *, is_active: bool) -> dict[str, Value]:
    """What the row of a merchant's device says; `isActive` is the state of the business."""
    return {
        "subscriptionType": "business_status",
        "businessId": business_id,
        "isActive": is_active,
    }


def subscribe_business_status(request: SubscribeBusinessStatus, exchange: Exchange) -> BusinessAck:
    """Subscribe anyone to a business's opening and closing; opening hours are public."""
    configuration = exchange.configuration
    row, business = tables.read(
        (configuration.connections, exchange.connection_id),
        (configuration.businesses, request.business_id),
    )
    connection = _connection(row)
    if connection is None:
        raise Refusal(ErrorCode.NOT_REGISTERED, "This connection is not on record: open a new one.")
    if business is None:
        raise Refusal(ErrorCode.NOT_FOUND, "There is no such business.")
    key = subscriptions.subscribe(
        exchange,
        connection,
        status_topic(request.business_id),
        {"subscriptionType": "merchant_status", "businessId": request.business_id},
    )
    business_row, status_row = tables.read(*_status_keys(request.business_id, exchange))
    outbox.catch_up(configuration.subscriptions, status_row, exchange.now, exchange.correlation_id)
    return _business_ack(request, key, exchange, business_row, status_row)


def unsubscribe_business_status(
    request: UnsubscribeBusinessStatus, exchange: Exchange
) -> BusinessAck:
    """End this connection's subscription to a business's opening and closing."""
    row, *states = tables.read(
        (exchange.configuration.connections, exchange.connection_id),
        *_status_keys(request.business_id, exchange),
    )
    key = subscriptions.unsubscribe(exchange, _connection(row), status_topic(request.business_id))
    return _business_ack(request, key, exchange, *states)


def _status_keys(business_id: str, exchange: Exchange) -> tuple[tuple[Table, str], ...]:
    return (
        (exchange.configuration.businesses, business_id),
        (exchange.configuration.subscriptions, status_topic(business_id)),
    )


def _business_ack(
    request: SubscribeBusinessStatus | UnsubscribeBusinessStatus,
    key: str,
    exchange: Exchange,
    business_row: Row | None,
    status_row: Row | None,
) -> BusinessAck:
    business = Business.of(business_row) if business_row else None
    return BusinessAck(
        timestamp=exchange.timestamp,
        original_action=action_of(type(request)),
        business_id=request.business_id,
        subscription_id=key,
        is_active=business.is_open if business else UNSET,
        version=current_version(business, status_row) if business else UNSET,
    )


def current_version(business: Business, status_row: Row | None) -> int:
    """The version of a business's last toggle: the larger of the two that are kept."""
    version = (status_row or {}).get("version")
    return max(business.version, version if isinstance(version, int) else 0)


def _connection(row: Row | None) -> Connection | None:
    connection = Connection.of(row) if row else None
    if connection is not None and connection.identity is not None:
        holder(connection.identity.entity_type)
    return connection
