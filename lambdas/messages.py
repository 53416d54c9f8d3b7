"""Every message of the protocol, once: what a client asks, what it is answered, what it is told.

`reference.py` makes docs/protocol.md and the JSON Schema from these types; nothing else describes
the wire. Python names are snake_case here and camelCase on the wire.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType


class EntityType(StrEnum):
    """What the holder of a connection is."""

    MERCHANT = "merchant"
    CUSTOMER = "customer"
    DRIVER = "driver"


class OrderStatus(StrEnum):
    """Every status that an order can have, in the words of the merchants' and the drivers' side."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    PREPARING = "preparing"
    PREPARING_COMPLETE = "preparing_complete"
    READY = "ready"
    READY_FOR_PICKUP = "ready_for_pickup"
    ASSIGNED_TO_DRIVER = "assigned_to_driver"
    PICKED_UP = "picked_up"
    ON_THE_WAY = "on_the_way"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    RETURNED = "returned"
    EXPIRED = "expired"


class ErrorCode(StrEnum):
    """Why a message was refused."""

    INVALID = "invalid"
    UNKNOWN_ACTION = "unknown_action"
    NOT_REGISTERED = "not_registered"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNAVAILABLE = "unavailable"


ERROR_MEANINGS: Final[Mapping[ErrorCode, str]] = {
    ErrorCode.INVALID: "The message cannot be understood. Do not send it again as it is.",
    ErrorCode.UNKNOWN_ACTION: "There is no such action.",
    ErrorCode.NOT_REGISTERED: "Send REGISTER_CONNECTION first, then this message again.",
    ErrorCode.FORBIDDEN: "Not with this token, or not for this holder. "
    "It also stands for what does not exist, so that nobody learns which.",
    ErrorCode.NOT_FOUND: "What the message names does not exist (any more).",
    ErrorCode.CONFLICT: "The connection belongs to another user, or too much happened at once.",
    ErrorCode.TOO_LARGE: "The message is over the limit.",
    ErrorCode.UNAVAILABLE: "Not now. Wait `retryAfterMs`, or a second, and send it again.",
}

# The look-ahead refuses a line feed at the end, which `$` alone lets pass in Python.
Identifier = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[!-~]+$(?!\n)")]
"""An id in printable ASCII without spaces."""

RequestId = (
    Annotated[str, Meta(min_length=1, max_length=128)] | Annotated[int, Meta(ge=0, lt=2**53)]
)
"""What a client numbers its messages with; it comes back in the answer."""

Timestamp = Annotated[str, Meta(description="When, in UTC, as 2026-01-31T12:00:00.000Z.")]


class Filter(
    Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """Narrows a subscription. An event passes when each list that is given contains its value.

    It is applied at delivery, to rows that are read anyway: it saves posts, not reads.
    """

    statuses: (
        Annotated[
            tuple[OrderStatus, ...],
            Meta(min_length=1, max_length=16, description="Only updates to one of these."),
        ]
        | UnsetType
    ) = UNSET
    entity_types: (
        Annotated[
            tuple[EntityType, ...],
            Meta(min_length=1, max_length=3, description="Only what comes from one of these."),
        ]
        | UnsetType
    ) = UNSET


# --- Requests -------------------------------------------------------------------------------------


class Request(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a client sends."""

    request_id: RequestId | UnsetType = UNSET

    @property
    def subject(self) -> str | None:
        """Id of the business or order that it is about."""
        return None


class BusinessRequest(Request, frozen=True, kw_only=True):
    """What is about one business."""

    business_id: Identifier

    @property
    def subject(self) -> str:
        """The business."""
        return self.business_id


class OrderRequest(Request, frozen=True, kw_only=True):
    """What is about one order."""

    order_id: Identifier

    @property
    def subject(self) -> str:
        """The order."""
        return self.order_id


class Ping(Request, frozen=True, kw_only=True, tag_field="action", tag="PING"):
    """Is anybody there? Costs nothing and keeps the socket open."""


class MerchantHeartbeat(Request, frozen=True, kw_only=True, tag_field="action", tag="HEARTBEAT"):
    """The merchant app's sign of life: the connection's row is kept for as long as it can live."""


class Heartbeat(Request, frozen=True, kw_only=True, tag_field="action", tag="heartbeat"):
    """The platform's sign of life; does what HEARTBEAT does."""


class RegisterConnection(
    Request, frozen=True, kw_only=True, tag_field="action", tag="REGISTER_CONNECTION"
):
    """Prove who holds this connection. What the holder is comes from the proof, not from here."""

    token: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=8192,
                description="ID or access token of a user pool; needed where it is the proof.",
            ),
        ]
        | UnsetType
    ) = UNSET
    business_id: (
        Annotated[
            Identifier, Meta(description="The business that a merchant acts for; needed from one.")
        ]
        | UnsetType
    ) = UNSET
    entity_type: (
        Annotated[
            str, Meta(max_length=32, description="A claim; refused where the proof says less.")
        ]
        | UnsetType
    ) = UNSET


class SubscribeOrders(
    BusinessRequest, frozen=True, kw_only=True, tag_field="action", tag="SUBSCRIBE_ORDERS"
):
    """A merchant's device wants the orders of its business, those that are pending first."""


class BusinessStatusUpdate(
    BusinessRequest, frozen=True, kw_only=True, tag_field="action", tag="BUSINESS_STATUS_UPDATE"
):
    """Open or close the business. Old clients say `status` online or offline for `isActive`."""

    is_active: bool


class MerchantLogout(
    BusinessRequest, frozen=True, kw_only=True, tag_field="action", tag="MERCHANT_LOGOUT"
):
    """End what this connection is registered and subscribed for; the business stays as it is."""


class SubscribeBusinessStatus(
    BusinessRequest, frozen=True, kw_only=True, tag_field="action", tag="subscribe_business_status"
):
    """Be told when a business opens or closes."""


class UnsubscribeBusinessStatus(
    BusinessRequest,
    frozen=True,
    kw_only=True,
    tag_field="action",
    tag="unsubscribe_business_status",
):
    """No longer be told when a business opens or closes."""


class SubscribeOrder(
    OrderRequest, frozen=True, kw_only=True, tag_field="action", tag="subscribe_order"
):
    """Be told what happens to an order that one is a party of."""

    filter: Filter | UnsetType = UNSET


class UnsubscribeOrder(
    OrderRequest, frozen=True, kw_only=True, tag_field="action", tag="unsubscribe_order"
):
    """No longer be told what happens to an order."""


class SendOrderMessage(
    OrderRequest, frozen=True, kw_only=True, tag_field="action", tag="order_message"
):
    """Say something to another party of an order, on all its live connections."""

    to: EntityType
    body: Annotated[str, Meta(min_length=1, max_length=2000)]


REQUESTS: Final[tuple[type[Request], ...]] = (
    Ping,
    MerchantHeartbeat,
    Heartbeat,
    RegisterConnection,
    SubscribeOrders,
    BusinessStatusUpdate,
    MerchantLogout,
    SubscribeBusinessStatus,
    UnsubscribeBusinessStatus,
    SubscribeOrder,
    UnsubscribeOrder,
    SendOrderMessage,
)


def action_of(request: type[Request]) -> str:
    """The action that names a request on the wire."""
    return str(request.__struct_config__.tag)


REQUEST_BY_ACTION: Final = {action_of(request): request for request in REQUESTS}

OLD_SPELLINGS: Final[Mapping[str, str]] = {"businessId": "storeId"}
"""Field -> what some clients call it."""

STATUS_WORDS: Final[Mapping[str, bool]] = {"online": True, "offline": False}
"""What old clients say in `status` -> `isActive` of BUSINESS_STATUS_UPDATE."""


# --- Answers --------------------------------------------------------------------------------------


class Answer(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the sender of a request gets back."""

    timestamp: Timestamp
    request_id: RequestId | UnsetType = UNSET


class Pong(Answer, frozen=True, kw_only=True, tag_field="type", tag="PONG"):
    """Answer to PING."""


class MerchantHeartbeatAck(
    Answer, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="HEARTBEAT_ACK"
):
    """Answer to HEARTBEAT."""

    reconnect: Annotated[
        bool, Meta(description="The connection is on record no more: open a new one.")
    ] = False


class HeartbeatResponse(
    Answer,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="action",
    tag="heartbeat_response",
):
    """Answer to heartbeat."""

    reconnect: Annotated[
        bool, Meta(description="The connection is on record no more: open a new one.")
    ] = False


class Registered(Answer, frozen=True, kw_only=True, tag_field="type", tag="REGISTERED"):
    """Answer to REGISTER_CONNECTION: what was proved."""

    connection_id: str
    entity_type: EntityType
    user_id: str
    business_id: str | UnsetType = UNSET


class Subscribed(Answer, frozen=True, kw_only=True, tag_field="type", tag="SUBSCRIBED"):
    """Answer to SUBSCRIBE_ORDERS; the pending orders follow as NEW_ORDER events."""

    business_id: str
    entity_type: EntityType = EntityType.MERCHANT
    subscription_type: str = "business_status"


class BusinessStatusUpdated(
    Answer, frozen=True, kw_only=True, tag_field="type", tag="BUSINESS_STATUS_UPDATED"
):
    """Answer to BUSINESS_STATUS_UPDATE: the state that holds from this version on."""

    business_id: str
    is_active: bool
    version: int
    entity_type: EntityType = EntityType.MERCHANT


class MerchantLogoutConfirmed(
    Answer, frozen=True, kw_only=True, tag_field="type", tag="MERCHANT_LOGOUT_CONFIRMED"
):
    """Answer to MERCHANT_LOGOUT."""

    business_id: str


class BusinessAck(Answer, frozen=True, kw_only=True, tag_field="action", tag="ack"):
    """Answer to subscribe_business_status and unsubscribe_business_status, with the state now."""

    original_action: str
    business_id: str
    subscription_id: str
    is_active: bool | UnsetType = UNSET
    version: int | UnsetType = UNSET


class OrderAck(Answer, frozen=True, kw_only=True, tag_field="action", tag="ack"):
    """Answer to subscribe_order and unsubscribe_order, with the order's status now."""

    original_action: str
    order_id: str
    subscription_id: str
    status: str | UnsetType = UNSET


class OrderMessageAck(Answer, frozen=True, kw_only=True, tag_field="action", tag="ack"):
    """Answer to order_message: how many connections of the recipient have it."""

    original_action: str
    order_id: str
    delivered: int


class Error(Answer, frozen=True, kw_only=True, tag_field="type", tag="ERROR"):
    """Answer to a message that was refused. Only after `unavailable` may it have had an effect."""

    code: ErrorCode
    message: str
    action: str = "error"
    original_type: str | UnsetType = UNSET
    retry_after_ms: int | UnsetType = UNSET


ANSWERS: Final[tuple[type[Answer], ...]] = (
    Pong,
    MerchantHeartbeatAck,
    HeartbeatResponse,
    Registered,
    Subscribed,
    BusinessStatusUpdated,
    MerchantLogoutConfirmed,
    BusinessAck,
    OrderAck,
    OrderMessageAck,
    Error,
)


# --- Events ---------------------------------------------------------------------------------------


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

encode: Final = msgspec.json.Encoder().encode
"""A message as JSON text, in bytes."""
