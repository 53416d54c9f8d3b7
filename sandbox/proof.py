"""Proof that the deployed order receiver works, as a client on a WebSocket sees it."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from sandbox.cloud import Cloud
from sandbox.console import Console
from sandbox.errors import SandboxError
from sandbox.platform import Platform, User

_ANSWER_PATIENCE: Final = 15.0
_ROWS_PATIENCE: Final = 20.0


class ProofError(SandboxError):
    """The deployed stack did not do what it promises."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(
            step, reason, "see what the Lambdas said: .venv/bin/python -m sandbox logs"
        )


@dataclass(kw_only=True)
class Visit:
    """One merchant's connection, from its opening to the last of its rows."""

    cloud: Cloud
    outputs: Mapping[str, Any]
    merchant: User
    token: str
    socket: ClientConnection
    connection_id: str = ""


def prove(cloud: Cloud, platform: Platform, outputs: Mapping[str, Any], console: Console) -> None:
    """Be a merchant on the deployed stack; raise `ProofError` at the first step that fails."""
    url = str(outputs["webSocketUrl"])
    merchant = platform.user("merchant1")
    # The shop sees each answer before it asks for more, so the answers come in order.
    with console.step("open a WebSocket") as step:
        socket = _open(url)
        step.note = url
    visit = Visit(
        cloud=cloud,
        outputs=outputs,
        merchant=merchant,
        token=platform.token(cloud, merchant.name),
        socket=socket,
    )
    try:
        for title, take in _STEPS.items():
            with console.step(title) as step:
                step.note = take(visit)
    finally:
        socket.close()
    with console.step("close, and its rows go") as step:
        step.note = _leave(visit)


def _open(url: str) -> ClientConnection:
    try:
        return connect(url, open_timeout=_ANSWER_PATIENCE, proxy=None)
    except (OSError, WebSocketException) as error:
        raise ProofError("open a WebSocket", f"{url} did not answer ({error})") from error


def _register(visit: Visit) -> str:
    answer = _ask(
        visit,
        {
            "action": "REGISTER_CONNECTION",
            "token": visit.token,
            "businessId": visit.merchant.business_id,
        },
        type="REGISTERED",
        entityType="merchant",
        userId=visit.merchant.user_id,
    )
    visit.connection_id = str(answer["connectionId"])
    return f"REGISTERED as merchant of {visit.merchant.business_id}"


def _subscribe_orders(visit: Visit) -> str:
    asked = {"action": "SUBSCRIBE_ORDERS", "businessId": visit.merchant.business_id}
    _ask(visit, asked, type="SUBSCRIBED", entityType="merchant")
    return "SUBSCRIBED"


def _subscribe_status(visit: Visit) -> str:
    asked = {"action": "subscribe_business_status", "businessId": visit.merchant.business_id}
    answer = _ask(visit, asked, action="ack", originalAction="subscribe_business_status")
    return f"ack, {answer.get('subscriptionId')}"


def _heartbeat(visit: Visit) -> str:
    _ask(visit, {"action": "heartbeat"}, action="heartbeat_response")
    return "heartbeat_response"


def _rows(visit: Visit) -> str:
    connection = _connection_row(visit)
    if connection is None or connection.get("entityType") != "merchant":
        raise ProofError("read its rows", f"the connections table holds {connection}")
    rows = _subscription_rows(visit)
    if not rows or {row.get("entityType") for row in rows} != {"merchant"}:
        raise ProofError("read its rows", f"the subscriptions table holds {rows}")
    return f"1 connection and {len(rows)} subscriptions, entityType merchant"


def _leave(visit: Visit) -> str:
    """The platform removes the connection's row; what it leaves behind is swept by our janitor."""
    _until("close", lambda: _connection_row(visit) is None, "the connection's row is still there")
    swept = visit.cloud.client("lambda").invoke(FunctionName=visit.outputs["functions"]["janitor"])
    if "FunctionError" in swept:
        raise ProofError("close", f"the janitor failed: {swept['Payload'].read().decode()}")
    _until("close", lambda: not _subscription_rows(visit), "subscriptions are still there")
    return "gone from both tables"


_STEPS: Final[Mapping[str, Callable[[Visit], str]]] = {
    "REGISTER_CONNECTION": _register,
    "SUBSCRIBE_ORDERS": _subscribe_orders,
    "subscribe_business_status": _subscribe_status,
    "heartbeat": _heartbeat,
    "read its rows in both tables": _rows,
}


def _ask(visit: Visit, message: Mapping[str, Any], **expected: Any) -> Mapping[str, Any]:
    """Send a message and return its answer, which must hold what is expected."""
    step = str(message["action"])
    request_id = f"proof-{step}"
    deadline = time.monotonic() + _ANSWER_PATIENCE
    try:
        visit.socket.send(json.dumps({**message, "requestId": request_id}))
        while True:
            answer = json.loads(visit.socket.recv(timeout=max(0.0, deadline - time.monotonic())))
            # An event that is pushed meanwhile is not the answer.
            if answer.get("requestId") in {request_id, None} and not answer.get("eventId"):
                break
    except TimeoutError:
        raise ProofError(step, f"no answer within {_ANSWER_PATIENCE:.0f} s") from None
    except (OSError, WebSocketException, ValueError) as error:
        raise ProofError(step, f"the connection failed ({error})") from error
    if any(answer.get(key) != value for key, value in expected.items()):
        raise ProofError(step, f"expected {expected}, and the answer was {json.dumps(answer)}")
    return answer


def _connection_row(visit: Visit) -> dict[str, Any] | None:
    found = visit.cloud.client("dynamodb").get_item(
        TableName=visit.outputs["connectionsTable"],
        Key={"connectionId": {"S": visit.connection_id}},
        ConsistentRead=True,
    )
    return _plain(found["Item"]) if "Item" in found else None


def _subscription_rows(visit: Visit) -> list[dict[str, Any]]:
    pages = (
        visit.cloud.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=visit.outputs["subscriptionsTable"],
            FilterExpression="connectionId = :connection",
            ExpressionAttributeValues={":connection": {"S": visit.connection_id}},
            ConsistentRead=True,
        )
    )
    return [_plain(item) for page in pages for item in page["Items"]]


def _plain(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: next(iter(value.values())) for name, value in item.items()}


def _until(step: str, condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _ROWS_PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise ProofError(step, f"{otherwise} after {_ROWS_PATIENCE:.0f} s")
        time.sleep(0.05)
