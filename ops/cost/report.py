"""`python -m ops cost`: the model's figures as a table and a plot, or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib import resources
from typing import Any, cast

import click
import yaml
from rich.console import Console
from rich.table import Table

from ops.cost.model import LimitUse, Line, Load, bill, limits

_FACTORS = (1, 10, 100, 1000)
_BAR = 40


@click.command()
@click.option("--merchants", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--customers", type=click.IntRange(min=0), default=10000, show_default=True)
@click.option(
    "--heartbeat",
    "heartbeat_seconds",
    type=click.FloatRange(min=1),
    default=300.0,
    show_default=True,
    help="Seconds between two heartbeats of a device.",
)
@click.option(
    "--hours", "hours_per_day", type=click.FloatRange(1, 24), default=12.0, show_default=True
)
@click.option(
    "--messages",
    "messages_per_merchant_per_day",
    type=click.FloatRange(min=0),
    default=40.0,
    show_default=True,
    help="Messages a merchant's device sends a day, heartbeats aside.",
)
@click.option(
    "--orders",
    "orders_per_merchant_per_day",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
)
@click.option(
    "--fan-out",
    "subscribers_per_business",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    help="Customer connections that hear of one toggle.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
def cost(as_json: bool, **figures: Any) -> None:
    """Compare the shared design's monthly cost with a separate API's, and find the limits."""
    load = Load(**figures)
    date, prices, known = read_prices()
    lines = bill(load, prices)
    uses = limits(load, known)
    by_factor = {factor: _totals(bill(load.times(factor), prices)) for factor in _FACTORS}
    if as_json:
        click.echo(json.dumps(_document(date, load, lines, uses, by_factor), indent=2))
        return
    console = Console()
    console.print(_bill_table(lines, date))
    console.print(_limits_table(uses))
    console.print("\nUS dollars a month as the load grows (each row a tenfold load)")
    for row in _plot(by_factor):
        console.print(row, highlight=False)


def read_prices() -> tuple[str, dict[str, float], dict[str, tuple[int, bool]]]:
    """The price list beside this module: its date, the prices, and (value, raisable) per limit."""
    text = resources.files("ops.cost").joinpath("prices.yaml").read_text(encoding="utf-8")
    document = cast("dict[str, Any]", yaml.safe_load(text))
    prices = {name: float(entry["usd"]) for name, entry in document["prices"].items()}
    known = {
        name: (int(entry["value"]), bool(entry["raisable"]))
        for name, entry in document["limits"].items()
    }
    return str(document["date"]), prices, known


def _totals(lines: list[Line]) -> tuple[float, float]:
    return sum(line.separate for line in lines), sum(line.shared for line in lines)


def _document(
    date: str,
    load: Load,
    lines: list[Line],
    uses: list[LimitUse],
    by_factor: dict[int, tuple[float, float]],
) -> dict[str, Any]:
    separate, shared = _totals(lines)
    return {
        "pricesOf": date,
        "load": asdict(load),
        "lines": [asdict(line) for line in lines],
        "total": {"separate": separate, "shared": shared},
        "limits": [asdict(use) | {"reachedAt": use.reached_at} for use in uses],
        "growth": [
            {"factor": factor, "separate": pair[0], "shared": pair[1]}
            for factor, pair in by_factor.items()
        ],
    }


def _bill_table(lines: list[Line], date: str) -> Table:
    table = Table(title=f"A month of the merchant app (us-east-1, prices of {date})")
    table.add_column("item")
    for heading in ("quantity", "separate $", "shared $"):
        table.add_column(heading, justify="right")
    for line in lines:
        table.add_row(
            line.item, f"{line.quantity:,.0f}", f"{line.separate:,.2f}", f"{line.shared:,.2f}"
        )
    separate, shared = _totals(lines)
    table.add_section()
    table.add_row("total", "", f"{separate:,.2f}", f"{shared:,.2f}", style="bold")
    return table


def _limits_table(uses: list[LimitUse]) -> Table:
    table = Table(title="Account limits, the one reached first on top")
    table.add_column("limit")
    for heading in ("allowed", "busiest second", "reached at load x", "can be raised"):
        table.add_column(heading, justify="right")
    for use in uses:
        table.add_row(
            use.limit.replace("_", " "),
            f"{use.value:,}",
            f"{use.used:,.2f}",
            f"{use.reached_at:,.0f}",
            "yes" if use.raisable else "no",
        )
    return table


def _plot(by_factor: dict[int, tuple[float, float]]) -> list[str]:
    top = max(max(pair) for pair in by_factor.values())
    rows: list[str] = []
    for factor, pair in by_factor.items():
        for name, value in zip(("separate", "shared"), pair, strict=True):
            length = max(1, round(_BAR * value / top))
            rows.append(f"{'x' + str(factor):>6} {name:<8} {'█' * length} {value:,.0f}")
    return rows
