"""What clients ask: every request of the protocol."""

from collections.abc import Mapping
from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from lambdas.messages import EntityType, Identifier, OrderStatus, RequestId


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
