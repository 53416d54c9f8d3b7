"""A small HTTP/1.1 server for loopback: keep-alive, bodies with a length, nothing else."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from tests.gateway.signature import SignedRequest


@dataclass(frozen=True, kw_only=True)
class HttpAnswer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class NoAnswer(Exception):  # noqa: N818 - a way to answer, not a failure of ours
    """Raised by a responder to close the connection without a word."""


Responder = Callable[[SignedRequest], Awaitable[HttpAnswer]]


async def serve_http(respond: Responder) -> asyncio.Server:
    """Listen on a free port of 127.0.0.1."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read_request(reader)) is not None:
                answer = await respond(request)
                writer.write(_render(answer))
                await writer.drain()
        except (NoAnswer, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # The other side left, or the gateway stops: nothing awaits this task.
        finally:
            writer.close()

    return await asyncio.start_server(client, "127.0.0.1", 0)


async def _read_request(reader: asyncio.StreamReader) -> SignedRequest | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise
        return None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, path, _version = first.split(" ")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return SignedRequest(method=method, path=path, headers=headers, body=body)


def _render(answer: HttpAnswer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += [f"Content-Length: {len(answer.body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + answer.body
