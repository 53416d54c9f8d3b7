"""What clients are told without having asked: every event of the protocol."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from lambdas.messages import EntityType, Timestamp


class EventMessage(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a client is told without having asked. The same event always has the same `eventId`."""

    event_id: str


class MerchantStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether a business takes orders."""

    merchant_id: Annotated[str, Meta(description="The businessId.")]
    status: Annotated[str, Meta(description="`online` or `offline`.")]
    is_accepting_orders: bool
    timestamp: Timestamp


class MerchantStatusChange(
    EventMessage, frozen=True, kw_only=True, tag_field="type", tag="MERCHANT_STATUS_CHANGE"
):
    """A business opened or closed. Drop it when its version is not above the last one seen."""

    version: int
    data: MerchantStatus


class Alert(Struct, frozen=True, kw_only=True, rename="camel"):
    """The words of a notification."""

    title: str
    subtitle: str
    body: str


class Aps(Struct, frozen=True, kw_only=True, rename="kebab"):
    """A notification in Apple's shape, which the merchant app shows as it is."""

    alert: Alert
    category: str = "NEW_ORDER_CATEGORY"
    mutable_content: int = 1


class OrderButton(Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that a merchant can do with an order, right from the notification."""

    id: str
    title: str


class OrderForMerchant(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An order as its merchant may see it."""

    order_id: str
    business_id: str
    status: str
    actions: tuple[OrderButton, ...] = msgspec.field()
    created_at: str | None = None
    customer_id: str | None = None
    customer_name: str | None = None
    customer_phone: str | None = None
    delivery_address: Any = None
    items: list[Any] | None = None
    total_amount: int | float | None = None
    notes: str | None = None
    platform_order_id: str | None = None
    estimated_preparation_time: int | float | None = None


class NewOrderPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is shown of a new order, and the order."""

    aps: Aps
    data: OrderForMerchant


class NewOrder(EventMessage, frozen=True, kw_only=True, tag_field="type", tag="NEW_ORDER"):
    """An order that waits for the merchant."""

    payload: NewOrderPayload


class OrderUpdate(
    EventMessage,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="ORDER_UPDATE",
):
    """An order changed. Every party may see all of it."""

    order_id: str
    status: str
    version: Annotated[
        int | None, Meta(description="Only grows for one order; drop what is not above.")
    ] = None
    previous_status: str | None = None
    business_id: str | None = None
    driver_id: str | None = None
    estimated_preparation_time: int | float | None = None
    rejection_reason: str | None = None
    updated_at: str | None = None


class OrderMessage(EventMessage, frozen=True, kw_only=True, tag_field="type", tag="ORDER_MESSAGE"):
    """Another party of an order says something. The server vouches for `from`."""

    order_id: str
    sender: EntityType = msgspec.field(name="from")
    body: str
    timestamp: Timestamp


EVENTS: Final[tuple[type[EventMessage], ...]] = (
    MerchantStatusChange,
    NewOrder,
    OrderUpdate,
    OrderMessage,
)
