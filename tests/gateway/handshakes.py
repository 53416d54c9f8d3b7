"""The upgrade request of a client: read for the events that follow, accepted or refused."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from tests.gateway.events import Handshake

Authorizer = Callable[[Handshake], Mapping[str, object] | None]
"""Gives the context of an accepted client, or nothing to refuse it."""


def read_handshake(request: Request, stage: str) -> Handshake | None:
    """What the request says; nothing when it is for another stage."""
    url = urlsplit(request.path)
    if url.path.rstrip("/") != f"/{stage}":
        return None
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.raw_items():
        headers.setdefault(name, []).append(value)
    query = parse_qs(url.query, keep_blank_values=True)
    return Handshake(headers=headers, query=query, source_ip="127.0.0.1")


def as_text(context: Mapping[str, object]) -> dict[str, str]:
    """Authorizer context arrives as strings, whatever the authorizer returned."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in context.items()
    }


def refusal(status: int) -> Response:
    """The answer to a client that is not let in."""
    phrase = HTTPStatus(status).phrase
    body = json.dumps({"message": phrase}).encode()
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body))})
    return Response(status, phrase, headers, body)
