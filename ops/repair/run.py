"""One repair: page by page through both tables, each page judged, mended in batches, and noted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ops.paced import PacedTables, Row
from ops.repair.commit import KEYS, Outcome, batches, commit
from ops.repair.connections import CONNECTION, connection_decisions
from ops.repair.decisions import Left, Mend, Table
from ops.repair.journal import BEGUN, TABLES, Journal
from ops.repair.subscriptions import SUBSCRIPTION, subscription_decisions
from ops.repair.surroundings import Reader

PAGE: Final = 500
"""Rows that one call reads, and that are read once more when the run is killed meanwhile."""
FOUND: Final = "found"

_ATTRIBUTES: Final[Mapping[Table, tuple[str, ...]]] = {
    "connections": CONNECTION,
    "subscriptions": SUBSCRIPTION,
}


@dataclass(frozen=True, kw_only=True)
class Repair:
    """What a repair needs: the tables and their names, the journal, and who follows it."""

    tables: PacedTables
    names: Mapping[Table, str]
    reader: Reader
    journal: Journal
    follow: Callable[[Journal], None]
    """Called whenever there is something new in the journal."""
    writes: bool
    page: int = PAGE

    def carry_out(self) -> None:
        """Go on from the journal's place to the end of both tables. Raises ClientError."""
        while self.journal.state == "unfinished":
            table = self.journal.table
            for page in self.tables.pages(
                self.names[table],
                KEYS[table],
                _ATTRIBUTES[table],
                after=self.journal.after,
                limit=self.page,
            ):
                self._work_off(table, page.rows)
                self.journal.passed(table, page.last, len(page.rows))
                self._noted()

    def _work_off(self, table: Table, rows: tuple[Row, ...]) -> None:
        if table == TABLES[0]:
            decisions = connection_decisions(rows, self.reader.around_connections(rows))
        else:
            decisions = subscription_decisions(rows, self.reader.around_subscriptions(rows))
        mends: list[Mend] = []
        for decision in decisions:
            if isinstance(decision, Left):
                self.journal.leave(decision)
            else:
                mends.append(decision)
        for batch in batches(mends):
            self._note(batch, [BEGUN if self.writes else FOUND] * len(batch))
            if self.writes:
                self._note(batch, commit(self.tables, self.names, batch))

    def _note(self, batch: list[Mend], outcomes: list[str] | list[Outcome]) -> None:
        for mend, outcome in zip(batch, outcomes, strict=True):
            for write in mend.fixes:
                self.journal.note(write, outcome)
        self._noted()

    def _noted(self) -> None:
        self.journal.save()
        self.follow(self.journal)
