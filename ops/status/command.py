"""`python -m ops status`: connections, subscriptions, queue, alarms, versions and drift."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import datetime

import click
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from ops.deployed import Deployed, stack_options
from ops.errors import OperatorError
from ops.status.sections import Section, gather


@click.command()
@stack_options
@click.option("--profile", help="The AWS profile to look with.")
@click.option(
    "--watch", type=click.IntRange(min=2), metavar="SECONDS", help="Refresh until interrupted."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def status(deployed: Deployed, profile: str | None, watch: int | None, as_json: bool) -> None:
    """Show how a deployed stack is doing.

    Exit status 2 when a part of it could not be read.
    """
    sections = gather(deployed, profile)
    with _screen(deployed, watched=watch is not None, as_json=as_json) as show:
        show(sections, "")
        if watch is not None:
            with suppress(KeyboardInterrupt):
                _refresh(deployed, profile, sections, watch, show)
            return
    if any(section.unread for section in sections):
        raise SystemExit(OperatorError.exit_code)


Show = Callable[[list[Section], str], None]
"""Shows the sections, and what went wrong with the last look at them."""


def _refresh(
    deployed: Deployed, profile: str | None, sections: list[Section], seconds: int, show: Show
) -> None:
    """Look again and again; what cannot be read for a while ends nothing."""
    while True:
        time.sleep(seconds)
        trouble = ""
        try:
            sections = gather(deployed, profile)
        except OperatorError as error:
            trouble = f"not refreshed: {error.message}"
        show(sections, trouble)


@contextmanager
def _screen(deployed: Deployed, *, watched: bool, as_json: bool) -> Generator[Show]:
    """Where the sections are shown: a table that replaces itself, tables or JSON in a row."""
    console = Console()

    def table(sections: list[Section], trouble: str) -> Table:
        return _table(deployed, sections, trouble)

    if as_json:
        indent = None if watched else 2
        yield lambda found, _: click.echo(json.dumps(_document(found), indent=indent))
    elif watched and console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda found, trouble: live.update(table(found, trouble), refresh=True)
    else:
        yield lambda found, trouble: console.print(table(found, trouble))


def _document(sections: list[Section]) -> dict[str, dict[str, str | int]]:
    return {section.heading: dict(section.rows) for section in sections}


def _table(deployed: Deployed, sections: list[Section], trouble: str) -> Table:
    now = datetime.now().astimezone().strftime("%H:%M:%S")
    table = Table(
        title=deployed.url,
        caption=f"{now}  {escape(trouble)}" if trouble else now,
        caption_style="red" if trouble else "dim",
        show_header=False,
        title_justify="left",
        caption_justify="left",
    )
    for section in sections:
        table.add_row(section.heading, "", style="bold")
        for name, value in section.rows:
            shown = f"{value:,}" if isinstance(value, int) else escape(value)
            table.add_row(f"  {escape(name)}", shown)
        table.add_section()
    return table
