"""The events that API Gateway hands to a Lambda for a WebSocket connection, in AWS's shapes.

Held against the parser models of Powertools for AWS Lambda by `test_events.py`.
"""

import base64
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Event = dict[str, Any]


def new_connection_id() -> str:
    """Eleven random bytes in URL-safe base64: sixteen characters that end in `=`, as AWS's do."""
    return base64.urlsafe_b64encode(os.urandom(11)).decode()


@dataclass(frozen=True, kw_only=True)
class Handshake:
    """What the client's upgrade request said."""

    headers: Mapping[str, list[str]]
    query: Mapping[str, list[str]]
    source_ip: str

    @property
    def user_agent(self) -> str | None:
        return next((v[-1] for k, v in self.headers.items() if k.lower() == "user-agent"), None)


@dataclass(frozen=True, kw_only=True)
class Socket:
    """What every event of one connection repeats."""

    connection_id: str
    api_id: str
    stage: str
    domain_name: str
    connected_at: float
    handshake: Handshake
    authorizer: Mapping[str, str] | None = field(default=None)


def connect_event(socket: Socket, now: float) -> Event:
    handshake = socket.handshake
    event = {
        "headers": {name: values[-1] for name, values in handshake.headers.items()},
        "multiValueHeaders": {name: list(values) for name, values in handshake.headers.items()},
        "requestContext": _context(socket, now, "$connect", "CONNECT"),
        "isBase64Encoded": False,
    }
    if handshake.query:
        event["queryStringParameters"] = {n: v[-1] for n, v in handshake.query.items()}
        event["multiValueQueryStringParameters"] = {n: list(v) for n, v in handshake.query.items()}
    return event


def message_event(socket: Socket, now: float, route_key: str, body: str) -> Event:
    context = _context(socket, now, route_key, "MESSAGE")
    context["messageId"] = new_connection_id()
    return {"requestContext": context, "body": body, "isBase64Encoded": False}


def disconnect_event(socket: Socket, now: float, code: int, reason: str) -> Event:
    context = _context(socket, now, "$disconnect", "DISCONNECT")
    context["disconnectStatusCode"] = code
    context["disconnectReason"] = reason
    headers = {"Host": socket.domain_name, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""}
    return {
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "requestContext": context,
        "isBase64Encoded": False,
    }


def _context(socket: Socket, now: float, route_key: str, event_type: str) -> Event:
    moment = datetime.fromtimestamp(now, UTC)
    identity: dict[str, str] = {"sourceIp": socket.handshake.source_ip}
    if (user_agent := socket.handshake.user_agent) is not None:
        identity["userAgent"] = user_agent
    context: Event = {
        "routeKey": route_key,
        "eventType": event_type,
        "messageDirection": "IN",
        "stage": socket.stage,
        "apiId": socket.api_id,
        "domainName": socket.domain_name,
        "connectionId": socket.connection_id,
        "connectedAt": int(socket.connected_at * 1000),
        "requestTime": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(now * 1000),
        "requestId": new_connection_id(),
        "extendedRequestId": new_connection_id(),
        "identity": identity,
    }
    if socket.authorizer is not None:
        context["authorizer"] = {
            "principalId": "client",
            "integrationLatency": 3,
            **socket.authorizer,
        }
    return context


@dataclass(frozen=True, kw_only=True)
class LambdaContext:
    """The second argument of a handler."""

    function_name: str
    memory_limit_in_mb: int = 512
    remaining_ms: int = 29_000
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    log_group_name: str = "/aws/lambda/test"
    log_stream_name: str = "test"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms
