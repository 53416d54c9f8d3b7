"""Reads records of the orders stream and decides which events they are: nothing is called here."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import time
from typing import Any, cast

from msgspec import Raw
from msgspec.structs import replace

from lambdas.items import plain
from lambdas.jobs import ANYONE, Broadcast, Event, Merchant, Parties
from lambdas.messages import EntityType, encode
from lambdas.orders import SOURCES, is_pending, new_order, order_of, order_update
from lambdas.rows import Order, Row, business_topic, order_topic


class UnreadableRecordError(Exception):
    """Something that is no record of a table's stream."""

    def __init__(self, member: str) -> None:
        super().__init__(f"a stream record without a readable {member}")
        self.member = member


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderRecord:
    """One change of one order."""

    event_id: str
    """The stream's own id of the record: the same whenever the record comes."""
    is_insert: bool
    row: Row
    before: Row | None
    """None for a new order, and where the stream carries new images only."""
    occurred_at: int
    """Milliseconds since the epoch; the stream knows the second."""

    @property
    def order(self) -> Order:
        """Whom the order belonged to when it was written. Raises UnreadableOrderError."""
        return order_of(self.row)


def read(record: Mapping[str, Any]) -> OrderRecord | None:
    """The change in a stream record; None for a deletion, which no client is told of.

    Raises UnreadableRecordError and UnreadableItemError.
    """
    name = record.get("eventName")
    if name == "REMOVE":
        return None
    if name not in ("INSERT", "MODIFY"):
        raise UnreadableRecordError("eventName")
    event_id, change = record.get("eventID"), change_of(record)
    if not isinstance(event_id, str):
        raise UnreadableRecordError("eventID")
    if "NewImage" not in change:
        raise UnreadableRecordError("NewImage")
    before = change.get("OldImage")
    moment = change.get("ApproximateCreationDateTime")
    return OrderRecord(
        event_id=event_id,
        is_insert=name == "INSERT",
        row=plain(change["NewImage"]),
        before=None if before is None else plain(before),
        occurred_at=int((moment if isinstance(moment, (int, float)) else time()) * 1000),
    )


def change_of(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a record that tells of the change; empty where there is none."""
    change = record.get("dynamodb")
    return cast("Mapping[str, Any]", change) if isinstance(change, dict) else {}


def events(record: OrderRecord) -> list[Broadcast]:
    """Who is to be told what of a change.

    The merchant's devices are told of an order when it starts to wait for them, the subscribers of
    the order when it is changed in something that they are told. Raises UnreadableOrderError.
    """
    found: list[Broadcast] = []
    changed = None if record.is_insert else _change(record)
    if record.is_insert or _starts_to_wait(record):
        # A client drops an event id that it has seen: two events need two.
        found.append(_arrival(record, f"{record.event_id}:new" if changed else record.event_id))
    if changed is not None:
        found.append(changed)
    return found


def _starts_to_wait(record: OrderRecord) -> bool:
    return record.before is not None and is_pending(record.row) and not is_pending(record.before)


def _arrival(record: OrderRecord, event_id: str) -> Broadcast:
    order = record.order
    body = Raw(encode(new_order(event_id, record.row)))
    assert order.business_id is not None
    return Broadcast(
        topic=business_topic(order.business_id),
        event=Event(
            id=event_id,
            type="NEW_ORDER",
            occurred_at=record.occurred_at,
            bodies={EntityType.MERCHANT: body},
            status=order.status,
            source=EntityType.CUSTOMER,
        ),
        audience=Merchant(business_id=order.business_id),
        correlation_id=record.event_id,
    )


def _change(record: OrderRecord) -> Broadcast | None:
    update = order_update(record.event_id, record.row, record.before)
    if record.before is not None and update.previous_status is None:
        earlier = order_update(record.event_id, {**record.before, "status": update.status}, None)
        # `updatedAt` and `version` move with every write, also with one that changes nothing else.
        if replace(earlier, updated_at=update.updated_at, version=update.version) == update:
            return None
    order = record.order
    return Broadcast(
        topic=order_topic(order.order_id),
        event=Event(
            id=record.event_id,
            type="ORDER_UPDATE",
            occurred_at=record.occurred_at,
            bodies={ANYONE: Raw(encode(update))},
            status=update.status,
            source=SOURCES.get(update.status),
        ),
        audience=Parties(
            order_id=order.order_id,
            customer_id=order.customer_id,
            driver_id=order.driver_id,
            business_id=order.business_id,
        ),
        correlation_id=record.event_id,
    )
