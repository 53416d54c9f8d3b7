"""Clients of the gateway, or of any WebSocket API: what the apps on people's phones do."""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.gateway import limits

Message = dict[str, Any]


class NothingCameError(AssertionError):
    """A message that was waited for did not arrive in time."""


@dataclass(kw_only=True)
class Device:
    """One app on one socket. Everything that arrives is kept in `inbox`, in order."""

    url: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    patience: float = 15.0
    """Seconds to wait for a message before the test fails."""
    connection_id: str = ""
    """Known to tests that look behind the gateway."""
    inbox: list[Message] = field(default_factory=list)
    raw_inbox: list[str | bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        url = f"{self.url}?{urlencode(self.query)}" if self.query else self.url
        self._open = ExitStack()
        self._wire: ClientConnection = self._open.enter_context(
            connect(
                url,
                additional_headers=self.headers,
                compression=None,
                max_size=None,
                max_queue=None,
                ping_interval=None,
                close_timeout=2,
                proxy=None,
            )
        )
        self._arrived = threading.Condition()
        self._numbers = itertools.count(1)
        self._closed = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._open.close()
        self._reader.join()

    def _read(self) -> None:
        try:
            for raw in self._wire:
                with self._arrived:
                    self.raw_inbox.append(raw)
                    self.inbox.append(_read(raw))
                    self._arrived.notify_all()
        except ConnectionClosed:
            pass
        finally:
            with self._arrived:
                self._closed = True
                self._arrived.notify_all()

    # --- Out ----------------------------------------------------------------------------------

    def send(self, action: str, **fields: Any) -> None:
        self.send_raw(json.dumps({"action": action, **fields}))

    def send_raw(self, body: str | bytes, *, frame: int = limits.FRAME_BYTES) -> None:
        """Send a body as it is, in frames of at most `frame` bytes."""
        if len(body) <= frame:
            self._wire.send(body)
        else:
            # The other side may close in the middle of what is too large for it.
            with suppress(ConnectionClosed):
                self._wire.send(_frames(body, frame))

    def ask(self, action: str, **fields: Any) -> Message:
        """Send a request and wait for the answer that carries its number."""
        number = f"r{next(self._numbers)}"
        self.send(action, requestId=number, **fields)
        return self.wait(lambda m: m.get("requestId") == number, f"answer to {action}")

    def ask_plain(self, action: str) -> Message:
        """Send a request and wait for whatever comes next."""
        with self._arrived:
            before = len(self.inbox)
        self.send(action)
        self.wait_raw(before + 1)
        return self.inbox[before]

    # --- In -----------------------------------------------------------------------------------

    def wait(self, wanted: Callable[[Message], bool], what: str = "message") -> Message:
        """The first message that is wanted, also when it came before."""
        with self._arrived:
            found: list[Message] = []

            def there() -> bool:
                found[:] = [m for m in self.inbox if wanted(m)]
                return bool(found) or self._closed

            self._arrived.wait_for(there, self.patience)
            if not found:
                state = "closed" if self._closed else "open"
                raise NothingCameError(f"no {what} on a socket that is {state}: {self.inbox}")
            return found[0]

    def wait_raw(self, number: int) -> None:
        """Wait until so many messages have come in all."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.raw_inbox) >= number, self.patience):
                raise NothingCameError(f"{len(self.raw_inbox)} messages, not {number}")

    def expect(self, type_: str) -> Message:
        return self.wait(lambda m: m.get("type") == type_, type_)

    def events(self, type_: str) -> list[Message]:
        """What arrived of one type up to now."""
        with self._arrived:
            return [m for m in self.inbox if m.get("type") == type_]

    def wait_closed(self) -> tuple[int | None, str]:
        """Close code and reason, once the other side has closed."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._closed, self.patience):
                raise NothingCameError("the socket is still open")
        return self._wire.close_code, self._wire.close_reason or ""


def _read(raw: str | bytes) -> Message:
    try:
        message = json.loads(raw)
    except ValueError:
        message = raw
    return message if isinstance(message, dict) else {"raw": message}


def _frames(body: str | bytes, frame: int) -> Iterator[str | bytes]:
    return (body[i : i + frame] for i in range(0, len(body), frame))


def until(condition: Callable[[], bool], timeout: float = 15.0) -> None:
    """Wait for a condition that nothing announces."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise NothingCameError("the condition was not met in time")
        time.sleep(0.005)
