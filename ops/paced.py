"""DynamoDB called at a bounded rate: tables that live traffic shares are read and mended slowly."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from botocore.exceptions import ClientError

from ops.errors import THROTTLES, code_of

ATTEMPTS: Final = 8
"""Tries of a throttled call, each of which the client itself has tried several times."""
LONGEST_PAUSE: Final = 20.0
"""Seconds between two tries, at most."""

Row = Mapping[str, Any]
"""An item as plain values; numbers are floats, sets and what is nested stay as they come."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Rows that one call read, and the key to go on after; None where it was the last page."""

    rows: tuple[Row, ...]
    last: str | None


class PacedTables:
    """A DynamoDB client that spends so many capacity units a second, reads and writes together.

    A call that is throttled is tried again after growing pauses; the error is raised when that
    lasts.
    """

    def __init__(
        self,
        client: Any,
        *,
        units_per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._client = client
        self._rate = units_per_second
        self._clock = clock
        self._sleep = sleep or time.sleep
        self._attempts = attempts
        self._paid_until = clock()

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """One call, as `scan`, within the rate. Raises ClientError."""
        for attempt in range(1, self._attempts + 1):
            self._sleep(max(0.0, self._paid_until - self._clock()))
            try:
                answer = cast(
                    "dict[str, Any]",
                    getattr(self._client, operation)(ReturnConsumedCapacity="TOTAL", **parameters),
                )
            except ClientError as error:
                if code_of(error) not in THROTTLES or attempt == self._attempts:
                    raise
                self.pause(attempt)
                continue
            self.spend(_units(answer))
            return answer
        raise AssertionError

    def spend(self, units: float) -> None:
        """Note capacity that was used: the next call waits until the rate allows for it."""
        self._paid_until = max(self._paid_until, self._clock()) + units / self._rate

    def pause(self, attempt: int) -> None:
        """Wait before a further try, longer each time and never as long as somebody else."""
        longest = min(LONGEST_PAUSE, 2.0 ** (attempt - 1))
        self._sleep(longest * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret

    def pages(
        self,
        table: str,
        key: str,
        attributes: Sequence[str],
        *,
        after: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Page]:
        """Every row of a table keyed by `key`, just these attributes, `limit` rows a page."""
        names = {f"#{position}": name for position, name in enumerate(attributes)}
        request: dict[str, Any] = {
            "TableName": table,
            "ProjectionExpression": ", ".join(names),
            "ExpressionAttributeNames": names,
        }
        if limit is not None:
            request["Limit"] = limit
        last = after
        while True:
            start = {} if last is None else {"ExclusiveStartKey": {key: {"S": last}}}
            answer = self.call("scan", **request, **start)
            last = answer.get("LastEvaluatedKey", {}).get(key, {}).get("S")
            yield Page(rows=tuple(plain(item) for item in answer["Items"]), last=last)
            if last is None:
                return


def plain(item: Mapping[str, Mapping[str, Any]]) -> Row:
    """An item as plain values."""
    row: dict[str, Any] = {}
    for name, value in item.items():
        kind, inner = next(iter(value.items()))
        row[name] = float(inner) if kind == "N" else None if kind == "NULL" else inner
    return row


def _units(answer: Mapping[str, Any]) -> float:
    """Capacity that a call used; calls on several tables answer with a list."""
    consumed: Any = answer.get("ConsumedCapacity") or ()
    entries: Any = [consumed] if isinstance(consumed, dict) else consumed
    return sum(float(entry.get("CapacityUnits", 0)) for entry in entries)
