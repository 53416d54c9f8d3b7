"""Sends a merchant's device that has just subscribed the orders that are waiting.

So an app that was away misses nothing. They come as NEW_ORDER, oldest first and one after another;
an order that arrives at this moment can come twice, under different event ids, and is told by its
order id.
"""

import os
from collections.abc import Iterator
from time import monotonic, time
from typing import Any, Final

from msgspec import Raw
from msgspec.structs import replace

from lambdas import clients, delivery, jobs, subscribers
from lambdas.catalogue import Env
from lambdas.delivery import Recipient
from lambdas.items import plain
from lambdas.jobs import Direct, Event, Merchant, Snapshot
from lambdas.messages import EntityType, OrderStatus, encode
from lambdas.observability import log
from lambdas.orders import new_order
from lambdas.rows import iso

INDEXES: Final = {"BusinessIdIndex": "businessId", "StoreIdIndex": "storeId"}
"""Orders of the customers' app name the business `storeId`."""

WINDOW_SECONDS: Final = 48 * 3600
"""How far back orders are looked for. It bounds the read for a business with a long history."""


def send(job: Snapshot, *, deadline: float) -> None:
    """Deliver each pending order. Raises what `delivery.deliver` raises."""
    audience = Merchant(business_id=job.business_id)
    admission = subscribers.admission(audience)
    row = subscribers.connections({job.connection_id}).get(job.connection_id)
    entity_type = admission.admits(row, time())
    if entity_type is None:
        log("no snapshot", entity_id=job.business_id, outcome="not admitted")
        return
    recipient = Recipient(connection_id=job.connection_id, entity_type=entity_type)
    orders = pending(job.business_id)
    log("snapshot", entity_id=job.business_id, events=max(0, len(orders) - job.skip))
    for position, order in enumerate(orders[job.skip :], start=job.skip):
        if monotonic() >= deadline:
            jobs.enqueue(replace(job, skip=position))
            return
        direct = Direct(
            connection_ids=(job.connection_id,),
            event=_event(order, job.correlation_id),
            audience=audience,
            correlation_id=job.correlation_id,
        )
        if delivery.send(direct, [recipient], deadline=deadline).stale:
            return


def pending(business_id: str) -> list[dict[str, Any]]:
    """The orders of the business that wait for it, oldest first; none on a stage without orders."""
    table = os.environ.get(Env.ORDERS_TABLE)
    if table is None:
        return []
    found = {
        str(order["orderId"]): order
        for index, attribute in INDEXES.items()
        for order in _pending(table, index, attribute, business_id)
    }
    return sorted(found.values(), key=lambda order: str(order.get("createdAt")))


def _pending(table: str, index: str, attribute: str, business_id: str) -> Iterator[dict[str, Any]]:
    pages = (
        clients.dynamodb()
        .get_paginator("query")
        .paginate(
            TableName=table,
            IndexName=index,
            KeyConditionExpression="#business = :business AND createdAt > :since",
            FilterExpression="#status = :pending",
            ExpressionAttributeNames={"#business": attribute, "#status": "status"},
            ExpressionAttributeValues={
                ":business": {"S": business_id},
                ":since": {"S": iso(time() - WINDOW_SECONDS)},
                ":pending": {"S": OrderStatus.PENDING},
            },
        )
    )
    for page in pages:
        yield from map(plain, page["Items"])


def _event(order: dict[str, Any], correlation_id: str) -> Event:
    event_id = f"{correlation_id}:{order['orderId']}"
    return Event(
        id=event_id,
        type="NEW_ORDER",
        # The subscription is what happened now; the order's own age would spoil the metric.
        occurred_at=int(time() * 1000),
        bodies={EntityType.MERCHANT: Raw(encode(new_order(event_id, order)))},
        status=OrderStatus.PENDING,
        source=EntityType.CUSTOMER,
    )
