"""Where the operator follows a migration: lines, and a bar for what takes long."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Final, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

LINE_SECONDS: Final = 10.0
"""At most this often a count is printed where no bar can be shown."""

Count = Callable[[int, int | None], None]
"""Takes how many are done, and of how many where that is known."""


class Screen(Protocol):
    """Lines and counts, wherever they go."""

    def say(self, text: str) -> None:
        """Print a line."""
        ...

    def counting(self, what: str) -> AbstractContextManager[Count]:
        """Show how far a long step is, while it lasts."""
        ...


class Terminal:
    """A terminal gets a bar with count, rate and what remains; a pipe gets a line now and then."""

    def __init__(
        self, stream: IO[str] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = Console(file=stream, highlight=False, soft_wrap=True, markup=False)
        self._clock = clock

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text)

    @contextmanager
    def counting(self, what: str) -> Generator[Count]:
        """Show how far a long step is; the last count stays when it is over, however it ends."""
        counting = self._bar if self._console.is_terminal else self._lines
        with counting(what) as count:
            yield count

    @contextmanager
    def _bar(self, what: str) -> Generator[Count]:
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
        )
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task(what, total=None)

            def count(done: int, total: int | None) -> None:
                progress.update(task, completed=done, total=total)

            yield count

    @contextmanager
    def _lines(self, what: str) -> Generator[Count]:
        shown = latest = ""
        due = float("-inf")

        def count(done: int, total: int | None) -> None:
            nonlocal shown, latest, due
            latest = f"  {what}: {done}" + (f" of {total}" if total is not None else "")
            if latest != shown and self._clock() >= due:
                self.say(latest)
                shown, due = latest, self._clock() + LINE_SECONDS

        try:
            yield count
        finally:
            if latest != shown:
                self.say(latest)


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """The rate of late, where there is one."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.0f}/s")
