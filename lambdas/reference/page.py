"""The protocol as a page for people, from the JSON Schema and what stands beside it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from lambdas import envelope, limits, requests
from lambdas.actions import messaging
from lambdas.answers import ANSWERS
from lambdas.events import EVENTS
from lambdas.messages import ERROR_MEANINGS, ErrorCode
from lambdas.reference.about import ABOUT
from lambdas.reference.schema import schema
from lambdas.requests import REQUESTS, Request
from lambdas.rows import CONNECTION_SECONDS, MARGIN_SECONDS, SUBSCRIPTION_LIMIT

_INTRODUCTION: Final = """\
# Messages

<!-- Made by `make docs` from lambdas/requests.py, answers.py and events.py. Do not edit. -->

A message is one JSON object in one text frame. `action` says what a client wants and routes the
message; old clients say it in `type`, which is read where `action` is missing. `requestId`, a text
of up to 128 characters or a whole number, comes back in the answer. Unknown fields are ignored, a
field that is null counts as left out, and wrong ones are answered with an ERROR. `storeId` is
understood for `businessId`. The JSON Schema of both directions is
[protocol.schema.json](protocol.schema.json).

Refused as `invalid`: a binary frame, anything but one object, a key that stands twice, NaN and
Infinity, a whole number beyond 2^53, a fraction beyond what a double holds, a lone surrogate, more
than {depth} levels.

Messages of one connection are served at the same time: who needs an order waits for each answer.

| limit | value | beyond it |
|---|---|---|
| size of a message | {size} KB | `too_large` |
| messages of a connection | {burst} at once, {per_second} a second | `unavailable` |
| `order_message` of a connection | {per_minute} a minute | `unavailable` |
| subscriptions of a connection | {subscriptions} | `conflict` |
| life of a connection's rows | {hours} hours and {minutes} minutes from its start | they expire |

The limit of all messages is kept by each container for itself and costs no call: it stops a flood
where it arrives, while somebody who keeps several containers busy has the limit of each. That of
`order_message` stands on the connection's row and holds for all containers together. `retryAfterMs`
says when to go on.

## Who is who

What a client says of itself proves nothing. With `identityMode: token`, REGISTER_CONNECTION carries
an ID or access token of a user pool; the pool says whether its holder is a merchant, a customer or
a driver. With `authorizer` the authorizer of `$connect` has said it, with `connection` the
platform's `$connect` has. A merchant also names a business, and has to be its owner by user id or
by an e-mail address that the token says is verified. What was proved stands on the connection's row
until the connection ends, logs out or proves the same again; another user needs another connection.
Whether a business or an order is still theirs is read again for every message about it, and once
more when an event is delivered.

## Errors

| code | what it means, and what to do |
|---|---|
{errors}

## Requests

"""

_EVENTS: Final = """\
An event can come twice, and events can overtake each other: drop one whose `eventId` you have seen,
and one whose `version` is not above the last of the same business or order. The answer to a
subscription has the state of its moment. After SUBSCRIBE_ORDERS the pending orders come as
NEW_ORDER, so that who was away misses none; one that is placed at that very moment can come twice,
under two event ids and one `orderId`.
"""


def page() -> str:
    """The whole page."""
    definitions = schema()["$defs"]
    introduction = _INTRODUCTION.format(
        depth=envelope.DEPTH_LIMIT,
        size=envelope.SIZE_LIMIT // 1024,
        burst=limits.BURST,
        per_second=limits.PER_SECOND,
        per_minute=messaging.MESSAGES_PER_MINUTE,
        subscriptions=SUBSCRIPTION_LIMIT,
        hours=CONNECTION_SECONDS // 3600,
        minutes=MARGIN_SECONDS // 60,
        errors="\n".join(f"| `{code}` | {ERROR_MEANINGS[code]} |" for code in ErrorCode),
    )
    lines = [
        *_overview(),
        *(line for one in REQUESTS for line in _request(one, definitions)),
        "## Answers",
        "",
        *(line for one in ANSWERS for line in _message(one, definitions)),
        "## Events",
        "",
        _EVENTS,
        *(line for one in EVENTS for line in _message(one, definitions)),
        "## What messages are made of",
        "",
        *_parts(definitions),
    ]
    return introduction + "\n".join(lines).rstrip() + "\n"


def _overview() -> Iterator[str]:
    yield "AWS calls are those of the handler; a test counts them. Nothing scans a table."
    yield ""
    yield "| action | who | answer | AWS calls | on top |"
    yield "|---|---|---|---|---|"
    for request in REQUESTS:
        about = ABOUT[request]
        yield (
            f"| `{requests.action_of(request)}` | {about.who} | {_name(about.answer)}"
            f" | {about.calls} | {about.more} |"
        )
    yield ""


def _request(request: type[Request], definitions: Mapping[str, Any]) -> Iterator[str]:
    yield from _section(f"`{requests.action_of(request)}`", definitions[request.__name__])


def _message(message: type[Struct], definitions: Mapping[str, Any]) -> Iterator[str]:
    yield from _section(_name(message), definitions[message.__name__])


def _parts(definitions: Mapping[str, Any]) -> Iterator[str]:
    known = {one.__name__ for one in (*REQUESTS, *ANSWERS, *EVENTS)}
    known |= {"ClientMessage", "ServerMessage", ErrorCode.__name__}
    for name, definition in definitions.items():
        if name not in known:
            yield from _section(name, definition)


def _name(message: type[Struct]) -> str:
    """How a message is called on the wire, and its type where that is shared."""
    tag = str(message.__struct_config__.tag)
    return f"`{tag}` ({message.__name__})" if tag == "ack" else f"`{tag}`"


def _section(title: str, definition: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    if description := definition.get("description"):
        yield description
        yield ""
    if "enum" in definition:
        yield "One of " + ", ".join(f"`{value}`" for value in definition["enum"]) + "."
        yield ""
    properties: Mapping[str, Any] = definition.get("properties", {})
    shown = {
        name: one
        for name, one in properties.items()
        if name not in _EVERYWHERE and not one.get("deprecated")
    }
    if shown:
        required = _required(definition)
        yield "| field | type | |"
        yield "|---|---|---|"
        for name, one in shown.items():
            note = "" if name in required or one.get("default") is not None else "optional"
            words = [word for word in (note, one.get("description", "")) if word]
            yield f"| `{name}` | {_type(one)} | {': '.join(words)} |"
        yield ""


_EVERYWHERE: Final = ("requestId", "timestamp")
"""Fields that are the same in every message."""


def _required(definition: Mapping[str, Any]) -> set[str]:
    """Fields that have to be there, where an older spelling of them is not."""
    choices = [choice["anyOf"][0]["required"] for choice in definition.get("allOf", ())]
    return {*definition["required"], *(name for choice in choices for name in choice)}


def _type(one: Mapping[str, Any]) -> str:
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    if "$ref" in one:
        name = str(one["$ref"]).rpartition("/")[2]
        return f"[{name}](#{'errors' if name == ErrorCode.__name__ else name.lower()})"
    if "anyOf" in one:
        kinds = [_type(choice) for choice in one["anyOf"] if choice.get("type") != "null"]
        return "number" if kinds == ["whole number", "number"] else " or ".join(kinds)
    kind = _WORDS.get(str(one.get("type")), "anything")
    if one.get("items"):
        return f"list of {_type(one['items'])}"
    if "maxLength" in one:
        return f"{kind}, up to {one['maxLength']} characters"
    if one.get("default"):
        return f"`{json.dumps(one['default'])}`"
    return kind


_WORDS: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
}
