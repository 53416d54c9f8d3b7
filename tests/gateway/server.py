"""A WebSocket API on loopback that keeps to AWS's limits and calls the Lambdas in this process.

A gateway is a context manager: a real WebSocket server and a real management endpoint in a thread
of their own. Each message becomes one call of a handler in a thread pool, also two messages of one
socket at the same time, as on AWS.
"""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.gateway import events, limits
from tests.gateway.clock import VirtualClock
from tests.gateway.connections import Connection, Connections
from tests.gateway.faults import Faults
from tests.gateway.handshakes import Authorizer, as_text, read_handshake, refusal
from tests.gateway.http import serve_http
from tests.gateway.invocations import Invocation, Invoker, generic_error
from tests.gateway.management import Management, Post
from tests.gateway.routes import Route, select_route

T = TypeVar("T")


@dataclass(kw_only=True)
class Gateway:
    """One stage of one WebSocket API."""

    routes: Mapping[str, Route]
    stage: str = "sandbox"
    api_id: str = "gateway001"
    clock: VirtualClock = field(default_factory=VirtualClock)
    authorizer: Authorizer | None = None
    secret: str = "test"
    faults: Faults = field(default_factory=Faults)
    invocations: list[Invocation] = field(default_factory=list)
    workers: int = 16
    _connections: Connections = field(default_factory=Connections)

    # --- Life ---------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="lambda")
        self._lambdas = Invoker(
            routes=self.routes, faults=self.faults, log=self.invocations, pool=self._pool
        )
        self._loop = asyncio.new_event_loop()
        self._busy = 0
        self._idle = threading.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._upgraded: dict[ServerConnection, Connection] = {}
        self._management = Management(
            stage=self.stage,
            secret=self.secret,
            connections=self._connections,
            faults=self.faults,
            now=self.clock.time,
        )
        self._thread = threading.Thread(target=self._loop.run_forever, name="gateway", daemon=True)
        self._thread.start()
        self._await(self._start())
        self.clock.listen(self._age)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.clock.forget(self._age)
        self._await(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._pool.shutdown()

    async def _start(self) -> None:
        self._sockets: Server = await serve(
            self._serve,
            "127.0.0.1",
            0,
            process_request=self._upgrade,
            max_size=(limits.MESSAGE_BYTES, limits.FRAME_BYTES),
            compression=None,
            ping_interval=None,
            close_timeout=1,
        )
        self._http = await serve_http(self._management.respond)

    async def _stop(self) -> None:
        self._http.close()
        self._sockets.close(close_connections=True, code=1001)
        await self._sockets.wait_closed()
        for _ in range(3):
            if not self._tasks:
                break
            await asyncio.wait(tuple(self._tasks), timeout=limits.INTEGRATION_SECONDS)
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task():
                task.cancel()
        await asyncio.sleep(0)

    # --- What a test reads --------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where clients connect, stage included."""
        return f"ws://127.0.0.1:{self._sockets.sockets[0].getsockname()[1]}/{self.stage}"

    @property
    def management_endpoint(self) -> str:
        return f"http://127.0.0.1:{self._http.sockets[0].getsockname()[1]}/{self.stage}"

    @property
    def posts(self) -> list[Post]:
        """Every call of the management endpoint."""
        return self._management.log

    @property
    def crashes(self) -> list[Invocation]:
        """The invocations that ended in an exception, which no handler should let out."""
        return [call for call in self.invocations if call.error is not None]

    def live_connections(self) -> list[str]:
        """Ids of the clients that are connected now."""

        async def ids() -> list[str]:
            return [c.socket.connection_id for c in self._connections if c.wire is not None]

        return self._await(ids())

    def settle(self, timeout: float = 30) -> None:
        """Wait until no Lambda runs and no message or lifecycle event waits for one."""
        with self._idle:
            if not self._idle.wait_for(lambda: self._busy == 0, timeout):
                raise TimeoutError(f"{self._busy} invocations still run after {timeout} s")

    def wait_gone(self, connection_id: str, timeout: float = 10) -> None:
        """Wait until the gateway has noticed that this client left and `$disconnect` is over."""

        def gone() -> bool:
            return all(c.socket.connection_id != connection_id for c in self._connections)

        with self._idle:
            if not self._idle.wait_for(gone, timeout):
                raise TimeoutError(f"{connection_id} is still connected after {timeout} s")
        self.settle()

    def cut(self, connection_id: str) -> None:
        """Lose a client's TCP connection: no close frame from either side."""

        async def abort() -> None:
            connection = self._connections.established(connection_id)
            if connection is not None and connection.wire is not None:
                connection.wire.transport.abort()

        self._await(abort())

    def _await(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    # --- Time ---------------------------------------------------------------------------------

    def _age(self) -> None:
        """Close what is idle or old by now, and let its `$disconnect` finish."""

        async def close() -> None:
            now = self.clock.time()
            for connection in self._connections:
                reason = connection.overdue(now)
                if reason is not None and connection.wire is not None:
                    await connection.wire.close(1001, reason)
                    await connection.wire.wait_closed()

        self._await(close())
        self.settle()

    # --- One client ---------------------------------------------------------------------------

    async def _upgrade(self, wire: ServerConnection, request: Request) -> Response | None:
        """Run `$connect`; the upgrade waits for it, and nothing can be posted until it is over."""
        handshake = read_handshake(request, self.stage)
        if handshake is None:
            return refusal(403)
        context = None
        if self.authorizer is not None:
            context = self.authorizer(handshake)
            if context is None:
                return refusal(403)
        now = self.clock.time()
        socket = events.Socket(
            connection_id=events.new_connection_id(),
            api_id=self.api_id,
            stage=self.stage,
            domain_name=f"{self.api_id}.execute-api.us-east-1.amazonaws.com",
            connected_at=now,
            handshake=handshake,
            authorizer=None if context is None else as_text(context),
        )
        connection = Connection(socket=socket, last_active_at=now)
        self._connections.add(connection)
        if "$connect" in self.routes:
            answer = await self._lambdas.invoke("$connect", events.connect_event(socket, now))
            if answer is None or not 200 <= answer.status < 300:
                self._connections.remove(socket.connection_id)
                return refusal(502 if answer is None else answer.status)
        self._upgraded[wire] = connection
        return None

    async def _serve(self, wire: ServerConnection) -> None:
        connection = self._upgraded.pop(wire)
        connection.wire = wire
        try:
            async for body in wire:
                if isinstance(body, bytes):
                    await wire.close(1003, "Unsupported data")
                    break
                connection.last_active_at = self.clock.time()
                self._spawn(self._message(connection, body))
        except ConnectionClosed:
            pass
        finally:
            self._gone(connection, wire)

    def _gone(self, connection: Connection, wire: ServerConnection) -> None:
        if "$disconnect" in self.routes and not self.faults.lose_disconnects:
            code = wire.close_code or 1006
            event = events.disconnect_event(
                connection.socket, self.clock.time(), code, wire.close_reason or ""
            )
            self._spawn(self._lifecycle("$disconnect", event))
        with self._idle:
            self._connections.remove(connection.socket.connection_id)
            self._idle.notify_all()

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        with self._idle:
            self._busy += 1
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        with self._idle:
            self._busy -= 1
            self._idle.notify_all()

    async def _lifecycle(self, route_key: str, event: events.Event) -> None:
        await self._lambdas.invoke(route_key, event)

    async def _message(self, connection: Connection, body: str) -> None:
        socket = connection.socket
        route_key = select_route(self.routes, body)
        event = events.message_event(socket, self.clock.time(), route_key or "$default", body)
        if route_key is None:
            await self._reply(connection, generic_error("Forbidden", event))
            return
        answer = await self._lambdas.invoke(route_key, event)
        if answer is None:
            await self._reply(connection, generic_error("Internal server error", event))
        elif self.routes[route_key].two_way and answer.body is not None:
            await self._reply(connection, answer.body)

    async def _reply(self, connection: Connection, body: str) -> None:
        assert connection.wire is not None
        connection.last_active_at = self.clock.time()
        with contextlib.suppress(ConnectionClosed):
            await connection.wire.send(body)
