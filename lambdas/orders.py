"""An order as its row has it, turned into what its merchant and its parties are told of it.

What is told is chosen field by field, so that an attribute that somebody adds to the row is told to
nobody. Updates go to every party in the same words, and hold nothing that one of them may not see.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from lambdas.events import (
    Alert,
    Aps,
    NewOrder,
    NewOrderPayload,
    OrderButton,
    OrderForMerchant,
    OrderUpdate,
)
from lambdas.messages import EntityType, OrderStatus
from lambdas.rows import Order, Row

ACTIONS: Final = (
    OrderButton(id="ACCEPT_ORDER", title="Accept"),
    OrderButton(id="REJECT_ORDER", title="Reject"),
)

SOURCES: Final[Mapping[str, EntityType]] = {
    OrderStatus.PENDING: EntityType.CUSTOMER,
    OrderStatus.CONFIRMED: EntityType.MERCHANT,
    OrderStatus.PREPARING: EntityType.MERCHANT,
    OrderStatus.PREPARING_COMPLETE: EntityType.MERCHANT,
    OrderStatus.READY: EntityType.MERCHANT,
    OrderStatus.READY_FOR_PICKUP: EntityType.MERCHANT,
    OrderStatus.REJECTED: EntityType.MERCHANT,
    OrderStatus.ASSIGNED_TO_DRIVER: EntityType.DRIVER,
    OrderStatus.PICKED_UP: EntityType.DRIVER,
    OrderStatus.ON_THE_WAY: EntityType.DRIVER,
    OrderStatus.DELIVERED: EntityType.DRIVER,
}
"""Whose side brings an order into a status. A status that is not here can come from anyone."""


class UnreadableOrderError(Exception):
    """A row that says too little to tell anyone of it."""

    def __init__(self, attribute: str) -> None:
        super().__init__(f"an order without a readable {attribute}")
        self.attribute = attribute


def order_of(row: Row) -> Order:
    """Who the order belongs to. Raises UnreadableOrderError."""
    if _text(row, "orderId") is None:
        raise UnreadableOrderError("orderId")
    return Order.of(row)


def new_order(event_id: str, row: Row) -> NewOrder:
    """What the merchant's devices are told of an order that waits. Raises UnreadableOrderError."""
    order = order_of(row)
    if order.business_id is None:
        raise UnreadableOrderError("businessId")
    items = row.get("items")
    items = cast("list[Any]", items) if isinstance(items, list) else None
    customer, total = _text(row, "customerName"), _amount(row, "totalAmount")
    number = _text(row, "platformOrderId") or order.order_id
    return NewOrder(
        event_id=event_id,
        payload=NewOrderPayload(
            aps=Aps(
                alert=Alert(
                    title="New order",
                    subtitle=f"#{number}" if customer is None else f"#{number} from {customer}",
                    body=_summary(items, total),
                )
            ),
            data=OrderForMerchant(
                order_id=order.order_id,
                business_id=order.business_id,
                status=order.status or OrderStatus.PENDING,
                actions=ACTIONS,
                created_at=_text(row, "createdAt"),
                customer_id=order.customer_id,
                customer_name=customer,
                customer_phone=_text(row, "customerPhone"),
                delivery_address=row.get("deliveryAddress"),
                items=items,
                total_amount=total,
                notes=_text(row, "notes"),
                platform_order_id=_text(row, "platformOrderId"),
                estimated_preparation_time=_amount(row, "estimatedPreparationTime"),
            ),
        ),
    )


def order_update(event_id: str, row: Row, before: Row | None) -> OrderUpdate:
    """What the order's subscribers are told of a change. Raises UnreadableOrderError."""
    order = order_of(row)
    if order.status is None:
        raise UnreadableOrderError("status")
    version = row.get("version")
    previous = None if before is None else _text(before, "status")
    return OrderUpdate(
        event_id=event_id,
        order_id=order.order_id,
        status=order.status,
        version=version if isinstance(version, int) and not isinstance(version, bool) else None,
        previous_status=previous if previous != order.status else None,
        business_id=order.business_id,
        driver_id=order.driver_id,
        estimated_preparation_time=_amount(row, "estimatedPreparationTime"),
        rejection_reason=_text(row, "rejectionReason"),
        updated_at=_text(row, "updatedAt"),
    )


def is_pending(row: Row) -> bool:
    """Whether the order waits for its merchant."""
    return row.get("status") == OrderStatus.PENDING


def _summary(items: list[Any] | None, total: float | None) -> str:
    parts: list[str] = []
    if items is not None:
        parts.append("1 item" if len(items) == 1 else f"{len(items)} items")
    if total is not None:
        parts.append(f"total {total:g}")
    return ", ".join(parts) or "Waiting for you"


def _text(row: Row, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) and value else None


def _amount(row: Row, name: str) -> int | float | None:
    value = row.get(name)
    return None if isinstance(value, bool) or not isinstance(value, (int, float)) else value
