"""The @connections endpoint: POST, GET and DELETE with the answers that AWS gives."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import unquote

from websockets.exceptions import ConnectionClosed

from tests.gateway import limits
from tests.gateway.connections import Connection, Connections
from tests.gateway.faults import ERROR_TYPES, Faults, PostFault
from tests.gateway.http import HttpAnswer, NoAnswer
from tests.gateway.signature import SignatureError, SignedRequest, check_signature

CONNECTION_ID = re.compile(r"[A-Za-z0-9_-]{1,128}={0,2}")


@dataclass(frozen=True, kw_only=True)
class Post:
    """One call of the management endpoint, as it was answered."""

    method: str
    connection_id: str
    status: int | None
    body: str


@dataclass(kw_only=True)
class Management:
    """Answers for one stage."""

    stage: str
    secret: str
    connections: Connections
    faults: Faults
    now: Callable[[], float]
    log: list[Post] = field(default_factory=list)

    async def respond(self, request: SignedRequest) -> HttpAnswer:
        body = request.body.decode("utf-8", "replace")
        connection_id, answer = await self._answer(request, body)
        status = None if answer is None else answer.status
        self.log.append(
            Post(method=request.method, connection_id=connection_id, status=status, body=body)
        )
        if answer is None:
            raise NoAnswer
        return answer

    async def _answer(self, request: SignedRequest, body: str) -> tuple[str, HttpAnswer | None]:
        path, _, _query = request.path.partition("?")
        prefix, _, quoted = path.rpartition("/")
        connection_id = unquote(quoted)
        if unquote(prefix) != f"/{self.stage}/@connections":
            return connection_id, _error(403, "Forbidden")
        try:
            check_signature(request, secret=self.secret)
        except SignatureError as error:
            return connection_id, _error(403, str(error))
        if self.faults.post_latency:
            await asyncio.sleep(self.faults.post_latency)
        fault = self.faults.next_post_fault(connection_id)
        if fault is not None:
            return connection_id, await self._fail(fault, connection_id, body)
        return connection_id, await self._serve(request.method, connection_id, request.body, body)

    async def _serve(self, method: str, connection_id: str, raw: bytes, body: str) -> HttpAnswer:
        if CONNECTION_ID.fullmatch(connection_id) is None or len(connection_id) % 4:
            return _error(400, f"Invalid connectionId: {connection_id}")
        if method == "POST" and len(raw) > limits.MESSAGE_BYTES:
            return _error(413, None)
        connection = self.connections.established(connection_id)
        if connection is None:
            return _error(410, None)
        match method:
            case "POST":
                return await self._post(connection, body)
            case "GET":
                return _describe(connection)
            case "DELETE":
                wire = connection.wire
                assert wire is not None
                connection.closing = True
                await wire.close(1000)
                return HttpAnswer(status=204)
            case _:
                return _error(403, "Missing Authentication Token")

    async def _post(self, connection: Connection, body: str) -> HttpAnswer:
        assert connection.wire is not None
        try:
            await connection.wire.send(body)
        except ConnectionClosed:
            return _error(410, None)
        connection.posts.append(body)
        connection.last_active_at = self.now()
        return HttpAnswer(status=200)

    async def _fail(self, fault: PostFault, connection_id: str, body: str) -> HttpAnswer | None:
        if fault.deliver and (connection := self.connections.established(connection_id)):
            await self._post(connection, body)
        if fault.latency:
            await asyncio.sleep(fault.latency)
        if fault.status is None:
            return None
        return _error(fault.status, None, typed=fault.typed)


def _describe(connection: Connection) -> HttpAnswer:
    identity = {"sourceIp": connection.socket.handshake.source_ip}
    if (user_agent := connection.socket.handshake.user_agent) is not None:
        identity["userAgent"] = user_agent
    body = {
        "connectedAt": _iso(connection.socket.connected_at),
        "identity": identity,
        "lastActiveAt": _iso(connection.last_active_at),
    }
    return HttpAnswer(
        status=200, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )


def _error(status: int, message: str | None, *, typed: bool = True) -> HttpAnswer:
    headers = {"Content-Type": "application/json"}
    if not typed:
        return HttpAnswer(status=status, body=b"", headers=headers)
    headers["x-amzn-ErrorType"] = ERROR_TYPES[status]
    body = {"message": message, "connectionId": None, "requestId": None}
    return HttpAnswer(status=status, body=json.dumps(body).encode(), headers=headers)


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
