"""One kept-alive HTTP/1.1 connection to an endpoint that is asked for statuses, not for bodies.

It knows as much of HTTP as the management API speaks: an answer has a length, or ends the
connection. Written as a protocol, without streams on top, because every post goes through it.
"""

import asyncio
from time import time


class SilentError(ConnectionError):
    """The other side closed the connection without a byte of an answer."""


class Wire(asyncio.Protocol):
    """Sends one request at a time and gives back the status of its answer."""

    def __init__(self) -> None:
        self.is_fresh = True
        """Whether nothing was asked over it yet."""
        self.is_open = True
        """Whether it can be asked (again)."""
        self.used_at = time()
        """Seconds since the epoch of the last answer."""
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    async def ask(self, request: bytes, seconds: float) -> int:
        """The status of the answer.

        Raises SilentError, another OSError (TimeoutError after `seconds`), or ValueError for what
        is no HTTP/1.1. The wire is then closed.
        """
        assert self._transport is not None
        if not self.is_open:
            raise SilentError
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        self._buffer = b""
        timer = loop.call_later(seconds, self._fail, TimeoutError())
        self._transport.write(request)
        try:
            status = await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            timer.cancel()
            self._answer = None
        self.is_fresh = False
        self.used_at = time()
        return status

    def close(self) -> None:
        """Give the connection up."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio.Protocol -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._buffer += data
        head, complete, body = self._buffer.partition(b"\r\n\r\n")
        if not complete or self._answer is None:
            return
        head = head.lower()
        try:
            if not head.startswith(b"http/1.1 "):
                raise ValueError("not an answer of HTTP/1.1")
            status = int(head[9:12])
            _, has_length, length = head.partition(b"\r\ncontent-length:")
            if has_length and len(body) < int(length.split(b"\r\n", 1)[0]):
                return
        except ValueError as error:
            self._fail(error)
            return
        if not has_length or b"\r\nconnection: close" in head:
            self.close()
        if not self._answer.done():
            self._answer.set_result(status)

    def eof_received(self) -> bool:
        """Called by the event loop."""
        self.is_open = False
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self.is_open = False
        self._fail(exc if self._buffer and exc is not None else SilentError())

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            if isinstance(error, SilentError) and self._buffer:
                error = ConnectionError("closed in the middle of an answer")
            self._answer.set_exception(error)
