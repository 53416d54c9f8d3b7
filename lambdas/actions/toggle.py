"""BUSINESS_STATUS_UPDATE: a merchant opens or closes its business.

One transaction sets the business, the versioned row `merchant_status_<businessId>` and the rows of
the merchant's devices; its conditions let exactly one of two that meet through, and the other looks
again. The event is queued afterwards. That it is still to be queued is part of the transaction
(`untoldSince`), so that an end in between cannot lose it: see `lambdas.outbox`.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from lambdas import jobs, outbox, tables
from lambdas.actions.toggling import ROWS_AT_ONCE, State, following, toggling
from lambdas.answers import BusinessStatusUpdated
from lambdas.exchange import Exchange
from lambdas.identity import merchant_of
from lambdas.messages import ErrorCode
from lambdas.observability import failure, log
from lambdas.refusal import Refusal
from lambdas.requests import BusinessStatusUpdate
from lambdas.rows import Business, Connection, business_topic, status_topic
from lambdas.tables import CancelledError, ConditionFailedError

ROWS_IN_PARALLEL: Final = 8
"""Calls under way at once for the rows beyond the transaction; botocore keeps ten sockets."""


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
        writes = toggling(request, exchange, state, devices)
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
        return _toggled(request, exchange, state, devices[ROWS_AT_ONCE:])
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


def _follow_later(
    keys: Sequence[str], request: BusinessStatusUpdate, exchange: Exchange, version: int
) -> None:
    """Let the rows beyond the transaction follow, unless a later toggle was there first."""
    from concurrent.futures import ThreadPoolExecutor

    def follow(key: str) -> None:
        change = following(key, request, exchange, version)
        condition = (
            f"{change.condition} AND (attribute_not_exists(#version) OR #version < :version)"
        )
        with suppress(ConditionFailedError):
            tables.update(replace(change, condition=condition))

    with ThreadPoolExecutor(max_workers=ROWS_IN_PARALLEL) as threads:
        list(threads.map(follow, keys))
