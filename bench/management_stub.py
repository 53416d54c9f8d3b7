"""A stand-in for API Gateway's @connections endpoint whose answers and latency are chosen.

    with serve(latency=0.02, answer=lambda connection_id, attempt: 200) as stub:
        post(stub.endpoint, ...)
        stub.posts["abc="]

It runs an event loop of its own in a thread; `in_process` starts one in a process of its own, so
that its work is not counted as the client's.
"""

import asyncio
import contextlib
import multiprocessing
import os
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

HANG = 0
"""An answer that never comes."""

DROP = -1
"""The connection is closed instead of an answer."""

CUT = -2
"""The connection is closed in the middle of an answer."""

Answer = Callable[[str, int], int]
"""From connection id and attempt (from 1) to an HTTP status, HANG, DROP or CUT."""

_REASON = {
    200: b"",
    400: b"BadRequestException",
    403: b"ForbiddenException",
    410: b"GoneException",
    413: b"PayloadTooLargeException",
    429: b"LimitExceededException",
}


def always_ok(_connection_id: str, _attempt: int) -> int:
    return 200


def thirty_percent_gone(connection_id: str, _attempt: int) -> int:
    """30 of 100 connection ids that end in a running number are gone."""
    return 410 if int(connection_id.rstrip("=")[-2:]) < 30 else 200


@dataclass
class Post:
    """One request as the endpoint saw it."""

    headers: dict[str, str]
    body: bytes
    path: str


@dataclass
class Stub:
    """What the endpoint saw, and where it listens."""

    endpoint: str = ""
    latency: float = 0.0
    later: float | None = None
    """Latency of every answer but the first, where it is another one."""
    answer: Answer = always_ok
    posts: dict[str, list[Post]] = field(default_factory=lambda: defaultdict(list))
    delivered: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    sockets: int = 0
    asked: int = 0
    keep: bool = True
    tls: ssl.SSLContext | None = None


class _Connection(asyncio.Protocol):
    """One HTTP/1.1 keep-alive connection; requests are answered in order, one at a time."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.stub.sockets += 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        low = head.lower()
        start = low.find(b"content-length:")
        length = int(low[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        status = 200
        if self.stub.keep:
            status = self.record(head, rest[:length])
        else:
            path = head.split(b" ", 2)[1].decode()
            status = self.stub.answer(unquote(path.rsplit("/", 1)[1]), 1)
        if status == HANG:
            return
        self.stub.asked += 1
        latency = self.stub.latency
        if self.stub.later is not None and self.stub.asked > 1:
            latency = self.stub.later
        asyncio.get_running_loop().call_later(latency, self.reply, status)

    def record(self, head: bytes, body: bytes) -> int:
        lines = head.decode("latin-1").split("\r\n")
        path = lines[0].split(" ")[1]
        connection_id = unquote(path.rsplit("/", 1)[1])
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }
        posts = self.stub.posts[connection_id]
        posts.append(Post(headers=headers, body=body, path=path))
        status = self.stub.answer(connection_id, len(posts))
        if status == 200:
            self.stub.delivered[connection_id].append(body)
        return status

    def reply(self, status: int) -> None:
        if self.transport.is_closing():
            return
        if status in (DROP, CUT):
            if status == CUT:
                self.transport.write(b"HTTP/1.1 200 X\r\nContent-")  # type: ignore[attr-defined]
            self.transport.close()
            return
        error = _REASON.get(status, b"InternalServerError")
        body = b"" if status == 200 else b'{"message":"' + error + b'"}'
        self.transport.write(  # type: ignore[attr-defined]
            b"HTTP/1.1 %d X\r\nDate: Mon, 01 Jun 2026 00:00:00 GMT\r\nContent-Length: %d\r\n"
            b"Connection: keep-alive\r\nx-amzn-RequestId: 0\r\nContent-Type: application/json\r\n"
            % (status, len(body))
            + (b"x-amzn-ErrorType: " + error + b"\r\n" if error else b"")
            + b"\r\n"
            + body
        )


async def _listen(stub: Stub, ready: Callable[[], None], done: asyncio.Event) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(stub), "127.0.0.1", 0, backlog=1024, ssl=stub.tls
    )
    scheme = "http" if stub.tls is None else "https"
    stub.endpoint = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/dev"
    ready()
    await done.wait()
    server.close()


@contextlib.contextmanager
def serve(
    latency: float = 0.0, answer: Answer = always_ok, tls: ssl.SSLContext | None = None
) -> Iterator[Stub]:
    """The endpoint in a thread of this process, for as long as the block runs."""
    stub = Stub(latency=latency, answer=answer, tls=tls)
    started = threading.Event()
    loop = asyncio.new_event_loop()
    done = asyncio.Event()

    def run() -> None:
        loop.run_until_complete(_listen(stub, started.set, done))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait()
    try:
        yield stub
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()


def _child(stub: Stub, core: int, pipe: "multiprocessing.connection.Connection") -> None:
    os.sched_setaffinity(0, {core})

    async def run() -> None:
        await _listen(stub, lambda: pipe.send(stub.endpoint), asyncio.Event())

    asyncio.run(run())


@contextlib.contextmanager
def in_process(latency: float, *, core: int, answer: Answer = always_ok) -> Iterator[str]:
    """The endpoint in a process of its own on a core, keeping no record; yields its address."""
    here, there = multiprocessing.Pipe()
    stub = Stub(latency=latency, answer=answer, keep=False)
    process = multiprocessing.get_context("spawn").Process(target=_child, args=(stub, core, there))
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()
