"""Strict reading of what a client sent: from the text of a frame to one typed request.

A text either means one thing or is refused: no duplicate keys, no NaN, no numbers that another
program would read differently, no text that cannot be sent on.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, cast

import msgspec

from lambdas.messages import ErrorCode, RequestId
from lambdas.refusal import Refusal
from lambdas.requests import (
    OLD_SPELLINGS,
    REQUEST_BY_ACTION,
    STATUS_WORDS,
    BusinessStatusUpdate,
    Request,
)

SIZE_LIMIT: Final = 16 * 1024
"""Bytes of a message. API Gateway lets 128 KB pass; the largest that we understand holds a token
of 8 KB."""

DEPTH_LIMIT: Final = 16
"""Objects and lists within each other."""

LARGEST_INTEGER: Final = 2**53 - 1
"""Beyond it a Dart or JavaScript client no longer has the number that it wrote."""

ACTION_LIMIT: Final = 64
"""Characters of an action that are worth repeating in an ERROR."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A message that is well-formed and says what it wants; whether that is ours is still open."""

    action: str
    request_id: RequestId | None
    fields: Mapping[str, Any]


def read(body: object, *, is_binary: bool) -> Envelope:
    """Read the text of a frame. Raises Refusal: `too_large` or `invalid`."""
    if is_binary or not isinstance(body, str):
        raise Refusal(ErrorCode.INVALID, "Send JSON as a text message, not a binary one.")
    # No character is less than a byte: the long ones need not be encoded to be refused.
    if len(body) > SIZE_LIMIT or _size(body) > SIZE_LIMIT:
        raise Refusal(ErrorCode.TOO_LARGE, f"A message may have {SIZE_LIMIT} bytes.")
    fields = _object(body)
    action = fields.get("action")
    if action is None:
        action = fields.get("type")
    if not isinstance(action, str) or not 0 < len(action) <= ACTION_LIMIT:
        raise Refusal(ErrorCode.INVALID, "Say in `action` what you want, as a text.")
    request_id = fields.get("requestId")
    if request_id is not None:
        try:
            request_id = msgspec.convert(request_id, RequestId)
        except msgspec.ValidationError:
            raise Refusal(
                ErrorCode.INVALID,
                "`requestId` is a text of up to 128 characters or a whole number.",
                action=action,
            ) from None
    return Envelope(action=action, request_id=request_id, fields=fields)


def request_of(envelope: Envelope) -> Request:
    """The typed request in an envelope. Raises Refusal: `unknown_action` or `invalid`."""
    kind = REQUEST_BY_ACTION.get(envelope.action)
    if kind is None:
        raise _refusal(envelope, ErrorCode.UNKNOWN_ACTION, "There is no such action.")
    fields = dict(envelope.fields)
    fields["action"] = envelope.action
    for name, old in OLD_SPELLINGS.items():
        if old in fields and fields.setdefault(name, fields[old]) != fields[old]:
            raise _refusal(
                envelope, ErrorCode.INVALID, f"`{name}` and `{old}` say different things."
            )
    if kind is BusinessStatusUpdate:
        _understand_status(envelope, fields)
    try:
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError:
        raise _refusal(
            envelope, ErrorCode.INVALID, f"{envelope.action} takes {_fields_of(kind)}."
        ) from None


def _understand_status(envelope: Envelope, fields: dict[str, Any]) -> None:
    word = fields.get("status")
    if word is None:
        return
    meaning = STATUS_WORDS.get(word) if isinstance(word, str) else None
    if meaning is None or fields.setdefault("isActive", meaning) is not meaning:
        raise _refusal(
            envelope,
            ErrorCode.INVALID,
            "`status` is online or offline, and says the same as `isActive`.",
        )


def _refusal(envelope: Envelope, code: ErrorCode, message: str) -> Refusal:
    return Refusal(code, message, action=envelope.action)


def _fields_of(kind: type[Request]) -> str:
    """The fields of a request in words, for whoever got one of them wrong."""
    words = [
        f"`{field.encode_name}`" + ("" if field.required else " (optional)")
        for field in msgspec.structs.fields(kind)
    ]
    return ", ".join(words) + " as the protocol describes them"


def _size(body: str) -> int:
    try:
        return len(body.encode())
    except UnicodeEncodeError:
        raise Refusal(ErrorCode.INVALID, "The message is not valid Unicode.") from None


def _object(body: str) -> dict[str, Any]:
    try:
        value = cast("object", _decode(body))
    except (ValueError, RecursionError):
        raise Refusal(
            ErrorCode.INVALID, "Send one JSON object, with every key once and no odd numbers."
        ) from None
    if not isinstance(value, dict):
        raise Refusal(ErrorCode.INVALID, "Send a JSON object.")
    fields = cast("dict[str, Any]", value)
    for depth, text in _walk(fields):
        if depth > DEPTH_LIMIT:
            raise Refusal(ErrorCode.INVALID, f"Nest at most {DEPTH_LIMIT} levels.")
        _size(text)
    # What is null was left out: clients that write every field of a type write null.
    return {name: item for name, item in fields.items() if item is not None}


def _walk(value: object) -> Iterator[tuple[int, str]]:
    """Every text in a decoded value with its depth; a level without a text counts as an empty one.

    Without recursion: how deep it goes is the client's choice.
    """
    pending: list[tuple[int, object]] = [(1, value)]
    while pending:
        depth, item = pending.pop()
        match item:
            case str():
                yield depth, item
            case dict():
                yield depth, ""
                for name, inner in cast("dict[str, object]", item).items():
                    yield depth, name
                    pending.append((depth + 1, inner))
            case list():
                yield depth, ""
                pending.extend((depth + 1, inner) for inner in cast("list[object]", item))
            case _:
                pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("duplicate key")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(number := int(digits)) > LARGEST_INTEGER:
        raise ValueError("integer out of range")
    return number


def _fraction(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    return number


_decode: Final = json.JSONDecoder(
    object_pairs_hook=_once,
    parse_constant=_no_constant,
    parse_int=_integer,
    parse_float=_fraction,
).decode
