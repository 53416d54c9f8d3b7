"""How far the sweep has come, kept between two runs in one row of the subscriptions table.

The row has neither a topic nor a connection, so that no query and no sweep meets it, and it is
there only while a sweep is unfinished.
"""

import os
from time import time
from typing import Final

import msgspec
from msgspec.structs import replace

from lambdas import clients
from lambdas.catalogue import Env
from lambdas.rows import OURS, iso

SEGMENTS: Final = 4
"""Parts of a table that are scanned one after another. One that changes makes old places void."""

ROW_ID: Final = "order-receiver#sweep"
ROW_SECONDS: Final = 24 * 3600


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The place that the sweep has come to, and what it found so far."""

    counting: bool = True
    """First the connections are counted, then the subscriptions are swept."""
    segment: int = 0
    start: str | None = None
    """Key of the row that was read last in this segment."""
    counts: dict[str, int] = {}
    """Living registered connections by entity type."""
    removed: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether both tables are through."""
        return not self.counting and self.segment >= SEGMENTS

    def after(self, start: str | None) -> "Progress":
        """The place after a page that ended at `start`; None ends the segment."""
        if start is not None:
            return replace(self, start=start)
        if self.counting and self.segment + 1 == SEGMENTS:
            return replace(self, counting=False, segment=0, start=None)
        return replace(self, segment=self.segment + 1, start=None)

    def with_counts(self, counts: dict[str, int]) -> "Progress":
        """The same place with other counts."""
        return replace(self, counts=counts)

    def with_removed(self, removed: int) -> "Progress":
        """The same place with another number of rows removed."""
        return replace(self, removed=removed)


def load() -> Progress | None:
    """Where the last run stopped; None when it came to the end, or too long ago to be true."""
    answer = clients.dynamodb().get_item(
        TableName=os.environ[Env.SUBSCRIPTIONS_TABLE], Key={"subscriptionId": {"S": ROW_ID}}
    )
    item = answer.get("Item", {})
    if "progress" not in item or int(item["ttl"].get("N", "0")) <= time():
        return None
    return msgspec.json.decode(item["progress"].get("S", ""), type=Progress)


def save(progress: Progress) -> None:
    """Write down where this run stopped."""
    now = time()
    clients.dynamodb().put_item(
        TableName=os.environ[Env.SUBSCRIPTIONS_TABLE],
        Item={
            "subscriptionId": {"S": ROW_ID},
            "progress": {"S": msgspec.json.encode(progress).decode()},
            "writtenBy": {"S": OURS},
            "createdAt": {"S": iso(now)},
            "ttl": {"N": str(int(now) + ROW_SECONDS)},
        },
    )


def clear() -> None:
    """Let the next run begin anew."""
    clients.dynamodb().delete_item(
        TableName=os.environ[Env.SUBSCRIPTIONS_TABLE], Key={"subscriptionId": {"S": ROW_ID}}
    )
