"""How the sandbox speaks: lines with times, alive on a terminal, plain in a pipe."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import IO

from sandbox.errors import SandboxError


class Step:
    """Something that is being done; `note` is what it came to."""

    def __init__(self) -> None:
        self.note = ""


class Console:
    """Writes to standard output, or to standard error where output is for a machine."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        from rich.console import Console as Rich

        self._rich = Rich(file=stream or sys.stdout, highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Generator[Step]:
        """Say what is being done while it is, and how long it took when it is done."""
        step = Step()
        began = time.monotonic()
        try:
            if self._rich.is_terminal:
                with self._rich.status(f"{title} ..."):
                    yield step
            else:
                yield step
        except BaseException:
            self._rich.print(f"[red]x[/] {title} [dim]({time.monotonic() - began:.1f} s)[/]")
            raise
        took = time.monotonic() - began
        note = f"  {_plain(step.note)}" if step.note else ""
        self._rich.print(f"[green]✓[/] {title:<34} [dim]{took:6.2f} s[/]{note}")

    def say(self, text: str = "") -> None:
        """Write a line."""
        self._rich.print(_plain(text))

    def heading(self, text: str) -> None:
        """Write a line that begins something new."""
        self._rich.print(f"\n[bold]{_plain(text)}[/]")

    def table(self, rows: list[tuple[str, ...]], *, header: tuple[str, ...] = ()) -> None:
        """Write rows in columns."""
        every = [header, *rows] if header else rows
        widths = [max(len(row[i]) for row in every) for i in range(len(every[0]))] if every else []
        for row in every:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            line = _plain("  ".join(cells).rstrip())
            self._rich.print(f"[bold]{line}[/]" if header and row is header else line)


def fail(error: SandboxError) -> None:
    """Show an error that was foreseen: one line, then what belongs to it."""
    from rich.console import Console as Rich

    rich = Rich(stderr=True, highlight=False, soft_wrap=True)
    first, *rest = str(error).splitlines()
    rich.print(f"[bold red]error:[/] {_plain(first)}")
    for line in rest:
        rich.print(f"  [dim]{_plain(line)}[/]")


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
