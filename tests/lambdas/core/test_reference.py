"""The written protocol is the one that is spoken."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lambdas import catalogue, envelope, messages, reference, requests, websocket
from lambdas.answers import ANSWERS
from lambdas.events import EVENTS
from lambdas.reference.about import ABOUT
from lambdas.requests import REQUESTS

DOCS = Path(__file__).resolve().parents[3] / "docs"
SCHEMA = reference.schema()


def validator(name: str) -> Any:
    schema = {"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]}
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("name", ["protocol.md", "protocol.schema.json"])
def test_the_documents_are_what_the_types_make(name: str) -> None:
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == reference.documents()[name], "run: make docs"


def test_no_description_is_taken_for_code() -> None:
    for definition in SCHEMA["$defs"].values():
        assert "\n " not in definition.get("description", "")


def test_every_route_is_a_request_with_an_action_behind_it() -> None:
    assert set(catalogue.ROUTES) == {requests.action_of(request) for request in REQUESTS}
    assert set(websocket.ACTIONS) == set(REQUESTS) == set(ABOUT)


def test_every_type_stands_in_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for one in (*REQUESTS, *ANSWERS, *EVENTS):
        assert one.__name__ in SCHEMA["$defs"]


@pytest.mark.parametrize(
    "message",
    [
        {"action": "PING"},
        {"type": "PING", "requestId": 1},
        {"action": "heartbeat", "requestId": "r1"},
        {"action": "REGISTER_CONNECTION", "token": "a.b.c", "businessId": "b1"},
        {"type": "SUBSCRIBE_ORDERS", "storeId": "b1", "userType": "merchant"},
        {"action": "BUSINESS_STATUS_UPDATE", "businessId": "b1", "isActive": False},
        {"type": "BUSINESS_STATUS_UPDATE", "storeId": "b1", "status": "offline"},
        {"action": "subscribe_order", "orderId": "o1", "filter": {"statuses": ["ready"]}},
        {"action": "order_message", "orderId": "o1", "to": "driver", "body": "here"},
    ],
)
def test_what_the_handler_understands_is_valid(message: dict[str, Any]) -> None:
    assert envelope.request_of(envelope.read(json.dumps(message), is_binary=False))
    validator("ClientMessage").validate(message)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"action": "nonsense"},
        {"action": "SUBSCRIBE_ORDERS"},
        {"action": "SUBSCRIBE_ORDERS", "businessId": "a b"},
        {"action": "SUBSCRIBE_ORDERS", "businessId": "x" * 129},
        {"action": "BUSINESS_STATUS_UPDATE", "businessId": "b1"},
        {"action": "BUSINESS_STATUS_UPDATE", "businessId": "b1", "isActive": "yes"},
        {"action": "subscribe_order", "orderId": "o1", "filter": {"status": ["ready"]}},
        {"action": "order_message", "orderId": "o1", "to": "admin", "body": "x"},
        {"action": "order_message", "orderId": "o1", "to": "driver", "body": ""},
    ],
)
def test_what_the_handler_refuses_is_not_valid(message: dict[str, Any]) -> None:
    with pytest.raises(envelope.Refusal):
        envelope.request_of(envelope.read(json.dumps(message), is_binary=False))
    assert not validator("ClientMessage").is_valid(message)


def test_every_error_code_says_what_to_do() -> None:
    assert set(messages.ERROR_MEANINGS) == set(messages.ErrorCode)
    codes = {one["const"] for one in SCHEMA["$defs"]["ErrorCode"]["oneOf"]}
    assert codes == set(messages.ErrorCode)
