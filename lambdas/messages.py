"""What requests, answers and events have in common: their words, their ids, and their encoding.

`requests.py`, `answers.py` and `events.py` have every message of the protocol, once, and
`reference/` makes docs/protocol.md and the JSON Schema from these types; nothing else describes the
wire. Python names are snake_case there and camelCase on the wire.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta


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

encode: Final = msgspec.json.Encoder().encode
"""A message as JSON text, in bytes."""
