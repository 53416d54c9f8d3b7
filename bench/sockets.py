"""Many WebSocket clients in a process of their own, which say when the last of them was told."""

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

AT_ONCE = 50
"""Handshakes under way at once."""


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Clients that are connected."""

    pipe: Connection

    def last_told(self) -> float:
        """When the last client got its next message, by the wall clock; waits for it."""
        return self.pipe.recv()


@contextlib.contextmanager
def crowd(url: str, number: int) -> Iterator[Crowd]:
    """Connect this many clients, for as long as the block runs."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_clients, args=(url, number, there)
    )
    process.start()
    try:
        assert here.recv() == "connected"
        yield Crowd(pipe=here)
    finally:
        process.terminate()
        process.join()


def _clients(url: str, number: int, pipe: Connection) -> None:
    asyncio.run(_run(url, number, pipe))


async def _run(url: str, number: int, pipe: Connection) -> None:
    from websockets.asyncio.client import ClientConnection, connect

    sockets: list[ClientConnection] = []
    while len(sockets) < number:
        count = min(AT_ONCE, number - len(sockets))
        sockets += await asyncio.gather(*(connect(url, compression=None) for _ in range(count)))

    async def told(socket: ClientConnection) -> float:
        await socket.recv()
        return time.time()

    pipe.send("connected")
    while True:
        pipe.send(max(await asyncio.gather(*(told(socket) for socket in sockets))))
