"""A WebSocket client as the apps have one: requests matched to answers by id, events kept apart."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import websockets
from websockets.asyncio.client import ClientConnection

from ops.verify.throttling import ThrottledError, pauses

Message = dict[str, Any]

ANSWER_SECONDS = 10.0
EVENT_SECONDS = 30.0


class NoAnswerError(Exception):
    """Nothing that was waited for came in time; says what did come."""


class AppClient:
    """One connection. What arrives is an answer when it echoes a request's id, else an event."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._answers: dict[str, asyncio.Future[Message]] = {}
        self._events: list[Message] = []
        self._arrived = asyncio.Condition()

    async def request(self, **message: Any) -> Message:
        """Send a message and return its answer; raises NoAnswerError after ANSWER_SECONDS."""
        request_id = uuid.uuid4().hex
        return await self.request_text(json.dumps({**message, "requestId": request_id}), request_id)

    async def request_text(self, text: str, request_id: str = "") -> Message:
        """Send a text as it is; without an id the next message that is no event answers it."""
        if not request_id:
            seen = len(self._events)
            await self._socket.send(text)
            return await self.event(
                lambda said: "eventId" not in said, after=seen, seconds=ANSWER_SECONDS
            )
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._answers[request_id] = answer
        try:
            await self._socket.send(text)
            return await asyncio.wait_for(answer, ANSWER_SECONDS)
        except TimeoutError as error:
            raise NoAnswerError(
                f"no answer within {ANSWER_SECONDS:.0f} s; {self._so_far()}"
            ) from error
        finally:
            self._answers.pop(request_id, None)

    async def event(
        self,
        wanted: Callable[[Message], bool],
        *,
        after: int = 0,
        seconds: float = EVENT_SECONDS,
    ) -> Message:
        """The first event from number `after` on that is `wanted`, waiting for it if need be."""
        until = time.monotonic() + seconds
        async with self._arrived:
            while True:
                for event in self._events[after:]:
                    if wanted(event):
                        return event
                left = until - time.monotonic()
                if left <= 0:
                    raise NoAnswerError(f"not within {seconds:.0f} s; {self._so_far()}")
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._arrived.wait(), left)

    @property
    def events_seen(self) -> int:
        """How many events have arrived; a mark for `event(after=...)`."""
        return len(self._events)

    def events(self, after: int = 0) -> list[Message]:
        """The events from number `after` on."""
        return self._events[after:]

    def _so_far(self) -> str:
        """What came without being asked for: an error of the gateway has but a `message`."""
        kinds = [
            str(event.get("type") or event.get("action") or event.get("message"))
            for event in self._events
        ]
        return f"what came: {', '.join(kinds) or 'nothing'}"

    async def listen(self) -> None:
        """Sort what arrives until the connection ends."""
        with suppress(websockets.ConnectionClosed):
            async for text in self._socket:
                message = _parsed(text)
                answer = self._answers.get(str(message.get("requestId")))
                if answer is not None and not answer.done():
                    answer.set_result(message)
                    continue
                async with self._arrived:
                    self._events.append(message)
                    self._arrived.notify_all()


def _parsed(text: str | bytes) -> Message:
    """What is no JSON object, as a platform's Lambda may answer, is kept as a message."""
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    return cast("Message", said) if isinstance(said, dict) else {"message": repr(text)[:200]}


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[AppClient]:
    """A client on a connection of its own, closed in the end."""
    # A proxy of the surroundings is for the world outside, not for a sandbox on this machine.
    proxy = None if urlsplit(url).hostname == "127.0.0.1" else True
    socket = await _opened(url, proxy)
    client = AppClient(socket)
    listening = asyncio.create_task(client.listen())
    try:
        yield client
    finally:
        await socket.close()
        await listening


async def _opened(url: str, proxy: Literal[True] | None) -> ClientConnection:
    """A connection, asked for again while the API lets no more of them in."""
    waits = pauses()
    while True:
        try:
            return await websockets.connect(url, open_timeout=ANSWER_SECONDS, proxy=proxy)
        except websockets.InvalidStatus as error:
            if error.response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
                raise
            if (wait := next(waits, None)) is None:
                raise ThrottledError(f"a new connection to {url}", str(error)) from error
            await asyncio.sleep(wait)
