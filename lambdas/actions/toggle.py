"""BUSINESS_STATUS_UPDATE: a merchant opens or closes its business.

One transaction sets the business, the versioned row `merchant_status_<businessId>` and the rows of
the merchant's devices; its conditions let exactly one of two that meet through, and the other looks
again. The event is queued afterwards. That it is still to be queued is part of the transaction
(`untoldSince`), so that an end in between cannot lose it: see `lambdas.outbox`.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from lambdas import jobs, outbox, subscriptions, tables
from lambdas.actions.businesses import business_status_facts, current_version
from lambdas.exchange import Exchange
from lambdas.identity import merchant_of
from lambdas.messages import BusinessStatusUpdate, BusinessStatusUpdated, EntityType, ErrorCode
from lambdas.observability import failure, log
from lambdas.refusal import Refusal
from lambdas.rows import (
    STATUS_ROW_SECONDS,
    Business,
    Connection,
    Row,
    business_topic,
    status_topic,
    subscription_id,
)
from lambdas.tables import CancelledError, ConditionFailedError, Update, Value, Write

ROWS_AT_ONCE: Final = 25
"""Rows of devices that change in the transaction itself; each further one is a call of its own."""

ROWS_IN_PARALLEL: Final = 8
"""Calls under way at once for those; botocore keeps ten sockets."""


@dataclass(frozen=True, kw_only=True)
class State:
    """What stands in the tables before a toggle."""

    connection: Connection
    business: Business
    status_row: Row | None

    @property
    def version(self) -> int:
        """Version of the last toggle."""
        return current_version(self.business, self.status_row)

    def differs_from(self, is_active: bool) -> bool:
        """Whether customers would learn anything new."""
        flags = (self.business.is_active, self.business.accepting_orders)
        return flags != (is_active, is_active)


def update_business_status(
    request: BusinessStatusUpdate, exchange: Exchange
) -> BusinessStatusUpdated:
    """Open or close the business; every toggle has a version of its own, also one without effect.

    Customers are told once for each change: not by a toggle to what already is.
    """
    devices: list[str] | None = None
    for last in tables.turns():
        state = _read(request, exchange)
        if devices is None:
            devices = _devices(request.business_id, exchange)
        keys = _with_own(devices, state.connection, request.business_id)
        writes = toggling(request, exchange, state, keys[:ROWS_AT_ONCE])
        try:
            tables.commit(writes)
        except CancelledError as cancelled:
            # A device that has gone must not come back, and must not stop the others.
            gone = {writes[position].key for position in cancelled.failed}
            devices = [key for key in devices if key not in gone]
            if last:
                raise Refusal(
                    ErrorCode.CONFLICT, "Too many toggles at once: try again.", retry_after_ms=1000
                ) from None
            continue
        return _toggled(request, exchange, state, keys[ROWS_AT_ONCE:])
    raise AssertionError


def _toggled(
    request: BusinessStatusUpdate, exchange: Exchange, state: State, rest: Sequence[str]
) -> BusinessStatusUpdated:
    version = state.version + 1
    change = outbox.Change(
        business_id=request.business_id,
        is_active=request.is_active,
        version=version,
        occurred_at=exchange.now,
    )
    if not state.differs_from(request.is_active):
        change = outbox.overdue(state.status_row, exchange.now)
    if change is not None:
        _queue(change, exchange)
    if rest:
        _follow_later(rest, request, exchange, version)
    return BusinessStatusUpdated(
        timestamp=exchange.timestamp,
        business_id=request.business_id,
        is_active=request.is_active,
        version=version,
    )


def _queue(change: outbox.Change, exchange: Exchange) -> None:
    """Queue the event; where that fails, the client's next try or the janitor does it at once."""
    try:
        jobs.enqueue(outbox.broadcast(change, exchange.correlation_id))
    except (ClientError, BotoCoreError) as error:
        log("event not queued", level="ERROR", **failure(error))
        outbox.not_queued(exchange.configuration.subscriptions, change)
        raise Refusal(
            ErrorCode.UNAVAILABLE, "Customers were not told yet: try again.", retry_after_ms=1000
        ) from error


def _read(request: BusinessStatusUpdate, exchange: Exchange) -> State:
    configuration = exchange.configuration
    connection_row, business_row, status_row = tables.read(
        (configuration.connections, exchange.connection_id),
        (configuration.businesses, request.business_id),
        (configuration.subscriptions, status_topic(request.business_id)),
    )
    connection = Connection.of(connection_row) if connection_row else None
    _, business = merchant_of(
        connection, request.business_id, Business.of(business_row) if business_row else None
    )
    assert connection is not None
    return State(connection=connection, business=business, status_row=status_row)


def _devices(business_id: str, exchange: Exchange) -> list[str]:
    """Ids of every business_status row of the business, whoever wrote it, on all pages."""
    rows = tables.query_index(
        exchange.configuration.subscriptions,
        "topic-createdAt-index",
        "topic",
        business_topic(business_id),
    )
    return [
        str(row["subscriptionId"])
        for row in rows
        if row.get("subscriptionType", "business_status") == "business_status"
    ]


def _with_own(devices: Sequence[str], connection: Connection, business_id: str) -> list[str]:
    """The rows that are to follow: an index may not show yet what this connection just wrote."""
    topic = business_topic(business_id)
    own = subscription_id(connection.connection_id, topic)
    if topic in connection.topics and own not in devices:
        return [own, *devices]
    return list(devices)


# --- What is written ------------------------------------------------------------------------------


def toggling(
    request: BusinessStatusUpdate, exchange: Exchange, state: State, devices: Sequence[str]
) -> list[Write]:
    """The writes of one toggle; all of them happen, or none."""
    writes: list[Write] = [
        _business(request, exchange, state),
        _status(request, exchange, state),
        *(_device(key, request, exchange, state.version + 1) for key in devices),
    ]
    if not devices:
        facts = business_status_facts(request.business_id, is_active=request.is_active)
        topic = business_topic(request.business_id)
        writes += subscriptions.subscribing(exchange, state.connection, topic, facts)
    return writes


def _business(request: BusinessStatusUpdate, exchange: Exchange, state: State) -> Update:
    return Update(
        table=exchange.configuration.businesses,
        key=request.business_id,
        expression="SET #isActive = :active, #acceptingOrders = :active, #statusVersion = :version,"
        " #updatedAt = :now, #lastStatusUpdate = :now",
        condition="attribute_exists(#businessId) AND "
        + ("#statusVersion = :seen" if state.business.version else _NEVER_TOGGLED),
        values={
            "active": request.is_active,
            "version": state.version + 1,
            "seen": state.business.version,
            "now": exchange.timestamp,
        },
    )


_NEVER_TOGGLED: Final = "attribute_not_exists(#statusVersion)"


def _status(request: BusinessStatusUpdate, exchange: Exchange, state: State) -> Update:
    # Whatever was read must still be there, also where another writer left something odd.
    seen = (state.status_row or {}).get("version")
    values: dict[str, Value] = {
        "active": request.is_active,
        "version": state.version + 1,
        "merchant": EntityType.MERCHANT,
        "type": "merchant_status",
        "business": request.business_id,
        "topic": status_topic(request.business_id),
        "now": exchange.timestamp,
        "ttl": int(exchange.now) + STATUS_ROW_SECONDS,
    }
    if seen is not None:
        values["seen"] = seen
    expression = (
        "SET #isActive = :active, #version = :version, #entityType = :merchant,"
        " #userType = :merchant, #subscriptionType = :type, #businessId = :business,"
        " #topic = :topic, #lastUpdate = :now, #ttl = :ttl,"
        " #createdAt = if_not_exists(#createdAt, :now)"
    )
    if state.differs_from(request.is_active):
        expression += ", #changedVersion = :version, #changedAt = :since, #untoldSince = :since"
        values["since"] = int(exchange.now)
    return Update(
        table=exchange.configuration.subscriptions,
        key=status_topic(request.business_id),
        expression=expression,
        condition="#version = :seen" if "seen" in values else "attribute_not_exists(#version)",
        values=values,
    )


def _device(key: str, request: BusinessStatusUpdate, exchange: Exchange, version: int) -> Update:
    return Update(
        table=exchange.configuration.subscriptions,
        key=key,
        expression="SET #isActive = :active, #entityType = :merchant, #userType = :merchant,"
        " #version = :version, #lastUpdate = :now",
        condition="attribute_exists(#subscriptionId)",
        values={
            "active": request.is_active,
            "merchant": EntityType.MERCHANT,
            "version": version,
            "now": exchange.timestamp,
        },
    )


def _follow_later(
    keys: Sequence[str], request: BusinessStatusUpdate, exchange: Exchange, version: int
) -> None:
    """Let the rows beyond the transaction follow, unless a later toggle was there first."""
    from concurrent.futures import ThreadPoolExecutor

    def follow(key: str) -> None:
        change = _device(key, request, exchange, version)
        condition = (
            f"{change.condition} AND (attribute_not_exists(#version) OR #version < :version)"
        )
        with suppress(ConditionFailedError):
            tables.update(replace(change, condition=condition))

    with ThreadPoolExecutor(max_workers=ROWS_IN_PARALLEL) as threads:
        list(threads.map(follow, keys))
