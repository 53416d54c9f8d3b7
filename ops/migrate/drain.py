"""Getting the old API's clients to reconnect: asked in batches, with jitter, until none is left."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.errors import code_of

CONNECTS_PER_SECOND: Final = 250
"""Half of the 500 new connections a second that an account has for all of its WebSocket APIs."""
BATCH: Final = 500
POSTS_AT_ONCE: Final = 16
LONGEST_SECONDS: Final = 2 * 3600
"""API Gateway ends every connection after two hours, asked or not."""
ASK_AGAIN_SECONDS: Final = 120
POLL_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class OldConnections:
    """The connections of the retired API, found in its table and reached through its endpoint."""

    dynamodb: Any
    management: Any
    table: str

    def ids(self) -> set[str]:
        """Ids of the connections that have a row."""
        found: set[str] = set()
        paginator = self.dynamodb.get_paginator("scan")
        for page in paginator.paginate(TableName=self.table, ConsistentRead=True):
            for item in page["Items"]:
                connection_id = _id_of(item)
                if connection_id:
                    found.add(connection_id)
        return found

    def ask(self, connection_id: str, message: bytes) -> bool:
        """Post to one connection; False when it is gone."""
        try:
            self.management.post_to_connection(ConnectionId=connection_id, Data=message)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if status in {400, 410} or code_of(error) == "GoneException":
                return False
            raise
        return True


def drain(
    old: OldConnections,
    url: str,
    *,
    progress: Callable[[int, int], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Ask every client to reconnect to `url`, and wait until none is left; returns how many stayed.

    `progress` gets how many have left and how many there were. Zero stay, unless two hours passed,
    after which API Gateway has closed them anyway. Who connects to the old API meanwhile is asked
    too.
    """
    until = clock() + LONGEST_SECONDS
    asked: dict[str, float] = {}
    gone: set[str] = set()
    while True:
        present = old.ids() - gone
        progress(len(asked.keys() - present), len(asked.keys() | present))
        if not present or clock() >= until:
            return len(present)
        due = [c for c in present if clock() - asked.get(c, float("-inf")) > ASK_AGAIN_SECONDS]
        for batch in _batches(sorted(due)):
            gone |= _ask(old, batch, url)
            asked |= dict.fromkeys(batch, clock())
            sleep(len(batch) / CONNECTS_PER_SECOND)
        sleep(POLL_SECONDS)


def _ask(old: OldConnections, batch: list[str], url: str) -> set[str]:
    """Ask a batch to come back within the time that its share of new connections takes."""
    window = max(1000, len(batch) * 1000 // CONNECTS_PER_SECOND)

    def ask(connection_id: str) -> bool:
        after = random.randrange(window)  # noqa: S311 - jitter, not a secret
        message = {"type": "reconnect", "url": url, "afterMs": after}
        return old.ask(connection_id, json.dumps(message).encode())

    with ThreadPoolExecutor(max_workers=POSTS_AT_ONCE) as workers:
        reached = list(workers.map(ask, batch))
    return {connection for connection, there in zip(batch, reached, strict=True) if not there}


def _batches(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _id_of(item: dict[str, Any]) -> str:
    """The connection's id, from its attribute or from a `CONNECTION#<id>` key."""
    if "connectionId" in item:
        return str(item["connectionId"].get("S", ""))
    key = str(item.get("PK", {}).get("S", ""))
    return key.removeprefix("CONNECTION#") if key.startswith("CONNECTION#") else ""
