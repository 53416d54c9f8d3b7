"""Getting the old API's clients to reconnect: asked in batches, with jitter, until none is left."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.errors import THROTTLES, OperatorError, code_of

CONNECTS_PER_SECOND: Final = 250
"""Half of the 500 new connections a second that an account has for all of its WebSocket APIs."""
BATCH: Final = 500
POSTS_AT_ONCE: Final = 16
LONGEST_SECONDS: Final = 2 * 3600
"""API Gateway ends every connection after two hours, asked or not."""
ASK_AGAIN_SECONDS: Final = 120
POLL_SECONDS = 1.0
THROTTLED_BATCHES: Final = 3
"""Batches in a row of which nobody could be asked: then it is no moment's matter."""


class Answer(Enum):
    """What came of a post to one connection."""

    ASKED = "asked"
    GONE = "gone"
    THROTTLED = "throttled"


@dataclass(frozen=True, kw_only=True)
class OldConnections:
    """The connections of the retired API, found in its table and reached through its endpoint."""

    dynamodb: Any
    management: Any
    table: str

    def ids(self) -> set[str]:
        """Ids of the connections that have a row."""
        found: set[str] = set()
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.table, ConsistentRead=True, ProjectionExpression="connectionId, PK"
        )
        for page in pages:
            for item in page["Items"]:
                connection_id = _id_of(item)
                if connection_id:
                    found.add(connection_id)
        return found

    def ask(self, connection_id: str, message: bytes) -> Answer:
        """Post to one connection."""
        try:
            self.management.post_to_connection(ConnectionId=connection_id, Data=message)
        except ClientError as error:
            if code_of(error) in THROTTLES:
                return Answer.THROTTLED
            if _is_gone(error):
                return Answer.GONE
            raise
        return Answer.ASKED

    def alive(self) -> set[str]:
        """Ids of those that are connected now: a row alone may be of a connection long gone."""
        with ThreadPoolExecutor(max_workers=POSTS_AT_ONCE) as workers:
            ids = sorted(self.ids())
            there = workers.map(self._is_connected, ids)
            return {connection for connection, is_there in zip(ids, there, strict=True) if is_there}

    def _is_connected(self, connection_id: str) -> bool:
        try:
            self.management.get_connection(ConnectionId=connection_id)
        except ClientError as error:
            if _is_gone(error):
                return False
            raise
        return True


@dataclass(frozen=True, kw_only=True)
class Left:
    """Whose rows are still there when a drain is over."""

    dead: int = 0
    """Gone, or seen two hours ago, so closed by API Gateway; only their rows are left."""
    staying: int = 0
    """They came since and are connected: clients that do not do as they are asked."""


@dataclass(kw_only=True)
class _Asked:
    """Who was seen, who was asked and when, and who turned out to be gone."""

    seen: set[str] = field(default_factory=set[str])
    at: dict[str, float] = field(default_factory=dict[str, float])
    gone: set[str] = field(default_factory=set[str])
    throttled: int = 0
    """Batches in a row of which nobody could be asked."""


def drain(
    old: OldConnections,
    url: str,
    *,
    progress: Callable[[int, int], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Left:
    """Ask every client to reconnect to `url`, and wait until none is left; returns who stayed.

    `progress` gets how many have left and how many there were. Nobody stays unless two hours
    passed. Who connects to the old API meanwhile is asked too.
    """
    first = present = old.ids()
    until = clock() + LONGEST_SECONDS
    asked = _Asked()
    while True:
        asked.seen |= present
        progress(len(asked.seen - present), len(asked.seen))
        if not present:
            return Left()
        if clock() >= until:
            staying = (old.alive() & present) - first
            return Left(dead=len(present - staying), staying=len(staying))
        never = float("-inf")
        due = [c for c in present if clock() - asked.at.get(c, never) > ASK_AGAIN_SECONDS]
        for batch in _batches(sorted(due)):
            _ask(old, batch, url, asked, clock)
            sleep(len(batch) / CONNECTS_PER_SECOND)
        sleep(POLL_SECONDS)
        present = old.ids() - asked.gone


def _ask(
    old: OldConnections, batch: list[str], url: str, asked: _Asked, clock: Callable[[], float]
) -> None:
    """Ask a batch to come back within the time that its share of new connections takes.

    Who could not be asked for throttling is asked in the next round. Raises OperatorError when that
    is everybody, again and again.
    """
    window = max(1000, len(batch) * 1000 // CONNECTS_PER_SECOND)

    def ask(connection_id: str) -> Answer:
        after = random.randrange(window)  # noqa: S311 - jitter, not a secret
        message = {"type": "reconnect", "url": url, "afterMs": after}
        return old.ask(connection_id, json.dumps(message).encode())

    workers = ThreadPoolExecutor(max_workers=POSTS_AT_ONCE)
    try:
        answers = list(workers.map(ask, batch))
    finally:
        # Whoever interrupts does not wait for posts that have not begun.
        workers.shutdown(cancel_futures=True)
    asked.throttled = asked.throttled + 1 if set(answers) == {Answer.THROTTLED} else 0
    if asked.throttled == THROTTLED_BATCHES:
        raise OperatorError(
            f"PostToConnection was throttled, again and again: {len(batch)} of the old API's "
            "clients could not be asked to reconnect: wait until others post less, then go on"
        )
    for connection, answer in zip(batch, answers, strict=True):
        if answer is Answer.GONE:
            asked.gone.add(connection)
        elif answer is Answer.ASKED:
            asked.at[connection] = clock()


def _is_gone(error: ClientError) -> bool:
    """410 is a connection that is over, 400 an id that never was one."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status in {400, 410} or code_of(error) == "GoneException"


def _batches(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _id_of(item: dict[str, Any]) -> str:
    """The connection's id, from its attribute or from a `CONNECTION#<id>` key."""
    if "connectionId" in item:
        return str(item["connectionId"].get("S", ""))
    key = str(item.get("PK", {}).get("S", ""))
    return key.removeprefix("CONNECTION#") if key.startswith("CONNECTION#") else ""
