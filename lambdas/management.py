"""The client of the management API: posts to many connections at once, and what became of each.

    outcomes = management().post_all(posts, deadline=monotonic() + 20)

It speaks HTTP/1.1 over kept-alive wires on an event loop in a thread of its own, so that any
thread may call it and wires outlive an invocation. A post costs a twentieth of boto3's processor
time and hundreds may be under way at once; each answers for itself and never delays the rest.
"""

import asyncio
import math
import os
import random
import re
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from time import monotonic, time
from typing import Final
from urllib.parse import quote, urlsplit

from lambdas import clients
from lambdas.catalogue import Env
from lambdas.signing import Credentials, Signer, body_hash
from lambdas.wire import SilentError, Wire

BODY_LIMIT: Final = 128 * 1024
"""Bytes of one message: API Gateway's quota for WebSockets, which also holds for @connections."""

CONNECT_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 3.0

LONGEST_POST: Final = 2 * (CONNECT_SECONDS + ANSWER_SECONDS) + 0.5
"""Seconds that a post may still take when the deadline strikes: two tries and the pause between."""

RETRY_PAUSE: Final = (0.05, 0.25)
"""Seconds between the two tries, chosen at random so that those who failed together part."""

FIRST_WIRES: Final = 32
WIRES: Final = 256
"""Posts under way at once: first, and at most."""

SLOWED: Final = 3
"""Wires are added only while answers take less than this many times the quickest. An endpoint whose
answers take their time whatever we do is given more at once; one that gets slower with each more is
working already as fast as it can, and every handshake would be lost time."""

IDLE_SECONDS: Final = 20
"""An idle wire is not used after this. The wall clock runs on while a container is frozen."""

ADDRESS_SECONDS: Final = 30
"""How long the addresses of the endpoint are kept."""

_CONNECTION_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}={0,2}")
_PLACEHOLDERS: Final = ("VIRTUAL_", "LOGIN_")
"""Rows that other apps keep in the connections table for people without a socket."""


class Outcome(StrEnum):
    """What became of a post."""

    DELIVERED = "delivered"
    GONE = "gone"
    """There is no such connection; its rows can go."""
    BUSY = "busy"
    """Throttled, broken or silent, twice: worth another try later. A post that was not answered may
    have arrived, so a later try can be a second delivery of the same event id."""
    REFUSED = "refused"
    """The request itself is wrong, and will be wrong again."""
    TOO_LARGE = "too_large"
    """Over the limit of a message; it was not posted."""
    UNSENT = "unsent"
    """The deadline came first; it was not posted."""


def classify(status: int) -> Outcome:
    """What an HTTP status of PostToConnection means.

    By status alone: a 410 does not always carry an error type. 400 is the answer to an id of the
    wrong shape, which no connection will ever have.
    """
    if 200 <= status < 300:
        return Outcome.DELIVERED
    if status in (400, 410):
        return Outcome.GONE
    if status == 413:
        return Outcome.TOO_LARGE
    if status == 429 or status >= 500:
        return Outcome.BUSY
    return Outcome.REFUSED


def is_connection_id(text: object) -> bool:
    """Whether a socket can have this id; the shared tables also hold placeholders without one."""
    return (
        isinstance(text, str)
        and _CONNECTION_ID.fullmatch(text) is not None
        and not text.startswith(_PLACEHOLDERS)
    )


@dataclass(frozen=True, slots=True)
class Post:
    """One message to one connection."""

    connection_id: str
    body: bytes


class Management:
    """The management API at one endpoint (`https://…/<stage>`), and the wires kept open to it."""

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        assert parts.hostname is not None, endpoint
        self._host = parts.netloc
        self._name = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._addresses = [parts.hostname]
        self._resolved_at = 0.0
        self._tls = _tls() if parts.scheme == "https" else None
        self._path = parts.path.rstrip("/") + "/%40connections/"
        self._idle: list[Wire] = []

    def post_all(self, posts: Sequence[Post], *, deadline: float) -> list[Outcome]:
        """Post each message and return, in the same order, what became of it.

        Nothing is begun after `deadline` (of `time.monotonic`), and nothing is under way any more
        when this returns, which is at most LONGEST_POST seconds after it.
        """
        if not posts:
            return []
        return asyncio.run_coroutine_threadsafe(self._post_all(posts, deadline), _loop()).result()

    async def _post_all(self, posts: Sequence[Post], deadline: float) -> list[Outcome]:
        await self._resolve()
        signer = self._signer()
        hashes = {body: body_hash(body) for body in {post.body for post in posts}}
        outcomes = [Outcome.UNSENT] * len(posts)
        turn = iter(range(len(posts)))

        # A wire costs a handshake: a large audience shares wires, a small one waits for nobody.
        most = min(WIRES, max(min(len(posts), 16), len(posts) // 4))
        workers = 0
        pace = _Pace()

        async def work(group: asyncio.TaskGroup) -> None:
            nonlocal workers
            for position in turn:
                if monotonic() >= deadline:
                    return
                post = posts[position]
                digest = hashes[post.body]
                outcomes[position] = await self._post(post, digest, signer, deadline, pace)
                if workers < most and pace.is_kept:
                    workers += 1
                    group.create_task(work(group))

        async with asyncio.TaskGroup() as group:
            workers = min(FIRST_WIRES, most)
            for _ in range(workers):
                group.create_task(work(group))
        return outcomes

    async def _post(
        self, post: Post, digest: str, signer: Signer, deadline: float, pace: "_Pace"
    ) -> Outcome:
        if len(post.body) > BODY_LIMIT:
            return Outcome.TOO_LARGE
        if not is_connection_id(post.connection_id):
            return Outcome.GONE
        path = self._path + quote(post.connection_id, safe="")
        request = (
            f"POST {path} HTTP/1.1\r\n{signer.headers(path, digest)}"
            f"Content-Length: {len(post.body)}\r\n\r\n"
        ).encode() + post.body
        outcome = await self._attempt(request, pace)
        if outcome is Outcome.BUSY:
            pause = random.uniform(*RETRY_PAUSE)  # noqa: S311
            if monotonic() + pause < deadline:
                await asyncio.sleep(pause)
                outcome = await self._attempt(request, pace)
        return outcome

    async def _attempt(self, request: bytes, pace: "_Pace") -> Outcome:
        try:
            wire = self._kept() or await self._open()
            began = monotonic()
            try:
                status = await wire.ask(request, ANSWER_SECONDS)
            except SilentError:
                # The other side gave up a wire that had been idle: it never read the request.
                if wire.is_fresh:
                    raise
                wire = await self._open()
                began = monotonic()
                status = await wire.ask(request, ANSWER_SECONDS)
        except (OSError, ValueError):
            # Time-outs are OSErrors too.
            pace.answered(math.inf)
            return Outcome.BUSY
        pace.answered(monotonic() - began)
        if wire.is_open:
            self._idle.append(wire)
        return classify(status)

    def _kept(self) -> Wire | None:
        while self._idle:
            wire = self._idle.pop()
            if wire.is_open and time() - wire.used_at < IDLE_SECONDS:
                return wire
            wire.close()
        return None

    async def _open(self) -> Wire:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, wire = await asyncio.get_running_loop().create_connection(
                Wire,
                random.choice(self._addresses),  # noqa: S311
                self._port,
                ssl=self._tls,
                server_hostname=None if self._tls is None else self._name,
            )
        return wire

    async def _resolve(self) -> None:
        """Look the endpoint's name up once for all wires, which would otherwise queue for it."""
        if time() - self._resolved_at < ADDRESS_SECONDS:
            return
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                self._name, self._port, family=socket.AF_INET, type=socket.SOCK_STREAM
            )
        except OSError:
            # Each wire asks again by itself, and what it is told is the outcome of its post.
            self._addresses = [self._name]
            return
        self._addresses = [str(address[0]) for *_, address in found]
        self._resolved_at = time()

    def _signer(self) -> Signer:
        credentials = clients.session().get_credentials()
        if credentials is None:
            raise LookupError("no AWS credentials to sign with")
        frozen = credentials.get_frozen_credentials()
        return Signer(
            credentials=Credentials(
                access_key=frozen.access_key or "",
                secret_key=frozen.secret_key or "",
                token=frozen.token,
            ),
            region=clients.region(),
            host=self._host,
            moment=datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"),
        )


class _Pace:
    """How long the endpoint takes over an answer, and how quick it can be."""

    def __init__(self) -> None:
        self._last = self._quickest = math.inf

    def answered(self, seconds: float) -> None:
        """Note an answer; an infinite time says that none came."""
        self._last = seconds
        self._quickest = min(self._quickest, seconds)

    @property
    def is_kept(self) -> bool:
        """Whether the last answer did not take much longer than the quickest."""
        return self._last < SLOWED * self._quickest


def management() -> Management:
    """The management API that the environment names."""
    return _management(os.environ[Env.ENDPOINT])


_management = cache(Management)


def _tls() -> ssl.SSLContext:
    from botocore.httpsession import get_cert_path

    bundle = clients.session().get_config_variable("ca_bundle")
    return ssl.create_default_context(cafile=bundle or get_cert_path(True))


_starting = threading.Lock()


def _loop() -> asyncio.AbstractEventLoop:
    """The event loop that all posts run on, in a thread of its own."""
    with _starting:
        return _started_loop()


@cache
def _started_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="management", daemon=True).start()
    return loop
