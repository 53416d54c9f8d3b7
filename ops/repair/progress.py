"""How far a repair is, on the operator's terminal: a bar for each table, or lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from ops.repair.decisions import Table
from ops.repair.journal import MENDED, TABLES, Journal

LINE_SECONDS: Final = 5.0
"""Between two lines of progress where there is no terminal."""


@contextmanager
def followed(totals: dict[Table, int]) -> Generator[Callable[[Journal], None]]:
    """What shows a run on standard error while it goes on: a bar on a terminal, else lines.

    `totals` are the rows of each table, as far as anybody knows.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(totals)
        return
    columns = (
        TextColumn("{task.description:<13}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[counts]}"),
    )
    with Progress(*columns, console=console) as progress:
        bars: list[tuple[Table, TaskID]] = [
            (table, progress.add_task(table, total=totals[table], counts="")) for table in TABLES
        ]

        def show(journal: Journal) -> None:
            for table, bar in bars:
                read = journal.read[table]
                # The count that DynamoDB gives is some hours old.
                total = read if _is_done(journal, table) else max(totals[table], read)
                progress.update(bar, completed=read, total=total, counts=_counts(journal, table))

        yield show


class _Lines:
    """Progress as lines: one now and then, and one at the end of each table."""

    def __init__(self, totals: dict[Table, int]) -> None:
        self._totals = totals
        self._next = time.monotonic() + LINE_SECONDS
        self._ended: set[Table] = set()

    def __call__(self, journal: Journal) -> None:
        for table in TABLES:
            if _is_done(journal, table) and table not in self._ended:
                self._ended.add(table)
                self._print(journal, table)
        if time.monotonic() >= self._next and journal.state == "unfinished":
            self._print(journal, journal.table)

    def _print(self, journal: Journal, table: Table) -> None:
        self._next = time.monotonic() + LINE_SECONDS
        of = "" if _is_done(journal, table) else f" of about {self._totals[table]:,}"
        click.echo(
            f"{table}: {journal.read[table]:,}{of} rows read, {_counts(journal, table)}", err=True
        )


def _is_done(journal: Journal, table: Table) -> bool:
    return journal.state == "complete" or TABLES.index(table) < TABLES.index(journal.table)


def _counts(journal: Journal, table: Table) -> str:
    """How many rows of a table are wrong, mended and left alone so far."""
    sorts = ("wrong", MENDED, "left alone")
    return ", ".join(f"{journal.counts[table, sort]:,} {sort}" for sort in sorts)
