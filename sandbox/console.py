"""How the sandbox speaks: lines with times, alive on a terminal, plain in a pipe."""

import json
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, nullcontext
from typing import IO, Any

import click
from rich.console import Console as Rich
from rich.markup import escape


class Step:
    """Something that is being done; `note` is what it came to."""

    note = ""


class Console:
    """Writes to standard output, or to standard error where output is for a machine."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._rich = Rich(file=stream or sys.stdout, highlight=False, emoji=False, soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Generator[Step]:
        """Say what is being done while it is, and how long it took when it is done."""
        step, began, mark = Step(), time.monotonic(), "[red]✗[/]"
        try:
            alive = self._rich.is_terminal
            with self._rich.status(f"{title} ...") if alive else nullcontext():
                yield step
            mark = "[green]✓[/]"
        finally:
            took = time.monotonic() - began
            note = f"  {escape(step.note)}" if step.note else ""
            self._rich.print(f"{mark} {title:<42} [dim]{took:6.2f} s[/]{note}")

    def say(self, text: str) -> None:
        """Write a line."""
        self._rich.print(text, markup=False)

    def heading(self, text: str) -> None:
        """Write a line that begins something new."""
        self._rich.print(f"\n[bold]{escape(text)}[/]")

    def values(self, values: Mapping[str, Any], *, as_json: bool = False) -> None:
        """Write names and values: in columns, or as one JSON object."""
        if as_json:
            click.echo(json.dumps(values, indent=2))
            return
        width = max(map(len, values), default=0)
        for name, value in values.items():
            shown = value if isinstance(value, str) else json.dumps(value)
            self.say(f"{name:<{width}}  {shown}")


def fail(text: str) -> None:
    """Show an error that was foreseen: one line, then what belongs to it."""
    rich = Rich(stderr=True, highlight=False, soft_wrap=True)
    first, *rest = text.splitlines() or [""]
    rich.print(f"[bold red]error:[/] {escape(first)}")
    for line in rest:
        rich.print(f"  [dim]{escape(line)}[/]")
