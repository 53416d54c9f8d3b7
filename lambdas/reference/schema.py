"""The JSON Schema of both directions, from the message types."""

from collections.abc import Sequence
from inspect import cleandoc
from typing import Any

import msgspec
from msgspec import Struct

from lambdas import requests
from lambdas.answers import ANSWERS
from lambdas.events import EVENTS
from lambdas.messages import ERROR_MEANINGS, ErrorCode
from lambdas.requests import REQUESTS


def schema() -> dict[str, Any]:
    """The JSON Schema of both directions."""
    types: list[type[Struct]] = [*REQUESTS, *ANSWERS, *EVENTS]
    _, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    for definition in definitions.values():
        # A docstring of several lines comes with the indentation that it has in the source.
        if "description" in definition:
            definition["description"] = cleandoc(definition["description"])
    for request in REQUESTS:
        _accept_old_spellings(definitions[request.__name__])
    definitions[ErrorCode.__name__] = {
        "title": ErrorCode.__name__,
        "description": "Why a message was refused, and what to do.",
        "oneOf": [{"const": code.value, "description": ERROR_MEANINGS[code]} for code in ErrorCode],
    }
    definitions["ClientMessage"] = _one_of("What a client sends.", REQUESTS)
    definitions["ServerMessage"] = _one_of(
        "What a client gets: answers to what it sent, and events.", [*ANSWERS, *EVENTS]
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Messages of the order receiver on the shared WebSocket API",
        "description": "Validate what you send against ClientMessage and what you get against "
        "ServerMessage. A field of a request that is null counts as left out.",
        "$defs": dict(sorted(definitions.items())),
    }


def _one_of(description: str, types: Sequence[type[Struct]]) -> dict[str, Any]:
    return {
        "description": description,
        "anyOf": [{"$ref": f"#/$defs/{one.__name__}"} for one in types],
    }


def _accept_old_spellings(definition: dict[str, Any]) -> None:
    """Let a request's schema take what the envelope understands beside the fields of the type."""
    properties: dict[str, Any] = definition["properties"]
    required: list[str] = definition["required"]
    spellings = {"action": "type"} | {
        name: old for name, old in requests.OLD_SPELLINGS.items() if name in properties
    }
    for name, old in spellings.items():
        note = f"What old clients say for `{name}`."
        properties[old] = {**properties[name], "description": note, "deprecated": True}
    if "isActive" in properties:
        words = list(requests.STATUS_WORDS)
        note = "What old clients say for `isActive`."
        properties["status"] = {"description": note, "enum": words, "deprecated": True}
        spellings["isActive"] = "status"
    choices = [name for name in required if name in spellings]
    definition["required"] = [name for name in required if name not in spellings]
    definition["allOf"] = [
        {"anyOf": [{"required": [name]}, {"required": [spellings[name]]}]} for name in choices
    ]
