"""What the sender of a request is answered: every answer of the protocol."""

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from lambdas.messages import EntityType, ErrorCode, RequestId, Timestamp


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
