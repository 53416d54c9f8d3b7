"""The stream of the orders table: AWS's records, delivered as an event source mapping does.

Batches with partial failures, bisection, a retry limit and a dead-letter destination, after
docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
"""

import itertools
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.gateway.clock import VirtualClock
from tests.gateway.events import LambdaContext
from tests.gateway.faults import LambdaDiedError
from tests.gateway.tables import Row, Table, to_image

Consumer = Callable[[dict[str, Any], Any], Any]
Record = dict[str, Any]


@dataclass(kw_only=True)
class Stream:
    """One shard of one table's stream."""

    table: Table
    clock: VirtualClock
    max_retries: int = 2
    bisect: bool = True
    waiting: list[Record] = field(default_factory=list)
    """Records that no consumer has had yet."""
    dead_letters: list[Record] = field(default_factory=list)
    """What was given up on; AWS tells the queue only the sequence numbers."""
    errors: list[BaseException] = field(default_factory=list)
    invocations: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    # --- The table's side ---------------------------------------------------------------------

    def put(self, row: Row) -> Record:
        """Write a row; its record waits in the stream."""
        old = self.table.get(row[self.table.key])
        self.table.put(row)
        record = self.record("INSERT" if old is None else "MODIFY", new=row, old=old)
        self.waiting.append(record)
        return record

    def update(self, key: str, **changes: Any) -> Record:
        """Change some attributes of a row that is there."""
        row = self.table.get(key)
        assert row is not None, f"no row {key}"
        return self.put({**row, **changes})

    def remove(self, key: str) -> Record:
        old = self.table.get(key)
        self.table.delete(key)
        record = self.record("REMOVE", new=None, old=old or {self.table.key: key})
        self.waiting.append(record)
        return record

    def record(self, name: str, *, new: Row | None, old: Row | None) -> Record:
        """A record of NEW_AND_OLD_IMAGES."""
        row = new if new is not None else old
        assert row is not None
        change: Record = {
            "ApproximateCreationDateTime": float(int(self.clock.time())),
            "Keys": to_image({self.table.key: row[self.table.key]}),
            "SequenceNumber": f"{next(self._numbers):021d}",
            "SizeBytes": 100,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        if new is not None:
            change["NewImage"] = to_image(new)
        if old is not None:
            change["OldImage"] = to_image(old)
        return {
            "eventID": uuid.uuid4().hex,
            "eventName": name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": change,
            "eventSourceARN": f"arn:aws:dynamodb:us-east-1:000000000000:table/{self.table.name}"
            "/stream/2026-01-01T00:00:00.000",
        }

    # --- The consumer's side ------------------------------------------------------------------

    def drain(self, consumer: Consumer, *, batch: int = 100) -> None:
        """Deliver what waits, in order, until each record is consumed or given up."""
        while self.waiting:
            now, self.waiting = self.waiting[:batch], self.waiting[batch:]
            self.deliver(consumer, now)

    def deliver(self, consumer: Consumer, records: Sequence[Record]) -> None:
        """Deliver one batch to its end; also records that were delivered before."""
        shards = [(list(records), 0)]
        while shards:
            batch, retries = shards.pop(0)
            failed_at = self._invoke(consumer, batch)
            if failed_at is None:
                continue
            rest = batch[failed_at:]
            if failed_at > 0:
                shards.insert(0, (rest, 0))
            elif self.bisect and len(rest) > 1:
                middle = len(rest) // 2
                shards[:0] = [(rest[:middle], retries), (rest[middle:], retries)]
            elif retries < self.max_retries:
                shards.insert(0, (rest, retries + 1))
            else:
                self.dead_letters += rest

    def _invoke(self, consumer: Consumer, batch: list[Record]) -> int | None:
        """Where the batch has to go on, counted from its start; nothing when all of it is done."""
        self.invocations += 1
        context = LambdaContext(function_name="order_events", remaining_ms=60_000)
        try:
            result = consumer({"Records": batch}, context)
        except (Exception, LambdaDiedError) as error:  # noqa: BLE001 - a Lambda may raise anything
            self.errors.append(error)
            return 0
        failures = (result or {}).get("batchItemFailures") or []
        if not failures:
            return None
        order = {record["dynamodb"]["SequenceNumber"]: i for i, record in enumerate(batch)}
        places = [order.get(failure.get("itemIdentifier")) for failure in failures]
        known = [place for place in places if place is not None]
        return min(known) if len(known) == len(places) else 0
