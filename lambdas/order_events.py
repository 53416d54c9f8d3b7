"""Consumes the stream of the orders table: new orders to the merchant, changes to the subscribers.

Records of one order come in order and are delivered in order. A fault that passes stops the batch
at that record, and the stream comes again from there. A record that nobody can read goes to the
dead-letter queue at once, so that it neither blocks its shard nor vanishes.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from lambdas import clients, delivery, observability, order_records, subscribers
from lambdas.audience import Admission
from lambdas.batches import LeftOverError
from lambdas.broadcasting import broadcast
from lambdas.catalogue import Env, Metric
from lambdas.items import UnreadableItemError
from lambdas.jobs import MESSAGE_LIMIT, Broadcast, NotQueuedError
from lambdas.observability import Context, correlated, failure, invocation, log
from lambdas.order_records import OrderRecord, UnreadableRecordError
from lambdas.orders import UnreadableOrderError
from lambdas.rows import Business, Order

FAULTS: Final = (ClientError, BotoCoreError, LeftOverError, NotQueuedError)
"""What passes by itself: the stream delivers once more from this record on."""

UNREADABLE: Final = (UnreadableRecordError, UnreadableOrderError, UnreadableItemError)


@dataclass(frozen=True, kw_only=True)
class _Change:
    """A record with the events that it is, or with why it cannot be read."""

    record: Mapping[str, Any]
    change: OrderRecord | None = None
    events: Sequence[Broadcast] = ()
    error: Exception | None = None

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "_Change":
        try:
            change = order_records.read(record)
            events = [] if change is None else order_records.events(change)
        except UNREADABLE as error:
            return cls(record=record, error=error)
        return cls(record=record, change=change, events=events)

    @property
    def failed(self) -> list[dict[str, str]]:
        """What makes the stream come again from this record on."""
        number = order_records.change_of(self.record).get("SequenceNumber", "")
        return [{"itemIdentifier": str(number)}]


@dataclass(frozen=True, kw_only=True)
class _Now:
    """Who the orders of a batch belong to at this moment: the stream can be far behind."""

    orders: Mapping[str, Order]
    businesses: Mapping[str, Business]

    @classmethod
    def read(cls, changes: Sequence[OrderRecord]) -> "_Now":
        """Read them in two calls for up to a hundred orders."""
        written = {change.order.order_id: change.order for change in changes}
        # An order that was deleted since then belongs to whom it belonged to.
        orders = {**written, **subscribers.orders(written)} if written else {}
        ids = {order.business_id for order in (*written.values(), *orders.values())}
        return cls(
            orders=orders, businesses=subscribers.businesses(one for one in ids if one is not None)
        )

    def admission(self, change: OrderRecord, event: Broadcast) -> Admission:
        """The audience of an event, as it is now."""
        order = self.orders[change.order.order_id]
        return Admission(
            audience=event.audience,
            order=order,
            business=self.businesses.get(order.business_id or ""),
        )


def handler(event: Mapping[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Deliver a batch of stream records, up to the first that has to come again."""
    deadline = delivery.deadline(context)
    changes = [_Change.of(record) for record in event["Records"]]
    with invocation(context):
        return {"batchItemFailures": _deliver_all(changes, deadline)}


def _deliver_all(changes: Sequence[_Change], deadline: float) -> list[dict[str, str]]:
    try:
        now = _Now.read([one.change for one in changes if one.change is not None and one.events])
    except FAULTS as error:
        log("orders could not be read", level="ERROR", **failure(error))
        return changes[0].failed
    for one in changes:
        if monotonic() >= deadline:
            return one.failed
        with correlated(str(one.record.get("eventID"))):
            try:
                _deliver(one, now, deadline)
            except FAULTS as error:
                log("record failed", level="ERROR", **failure(error))
                return one.failed
    return []


def _deliver(one: _Change, now: _Now, deadline: float) -> None:
    if one.error is not None:
        _bury(one.record, one.error)
    if one.change is not None:
        for event in one.events:
            broadcast(event, deadline=deadline, admission=now.admission(one.change, event))


def _bury(record: Mapping[str, Any], error: Exception) -> None:
    """Put a record that nobody can read where somebody will look at it."""
    log("unreadable record", level="ERROR", **failure(error))
    observability.metrics({Metric.POISON: 1})
    letter = {"reason": str(error), "record": record}
    text = msgspec.json.encode(letter, enc_hook=str)
    if len(text) > MESSAGE_LIMIT:
        keys = order_records.change_of(record).get("Keys")
        rest = {"eventID": record.get("eventID"), "keys": keys}
        text = msgspec.json.encode({**letter, "record": rest}, enc_hook=str)
    clients.sqs().send_message(
        QueueUrl=os.environ[Env.DEAD_LETTER_QUEUE_URL], MessageBody=text.decode()
    )
