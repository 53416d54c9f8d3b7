"""`python -m ops cost`: the model's figures as a table and a plot, or as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from importlib import resources
from typing import Any, Final, cast

import click
import yaml
from rich.console import Console
from rich.table import Table

from ops.cost.model import LimitUse, Line, Load, bill, limits

_FACTORS: Final = (1, 10, 100, 1000)
_WIDTH: Final = 45
"""Columns of a plot; the load's three decades take them all."""

Kind = type[click.IntRange] | type[click.FloatRange]


def _figure(name: str, field: str, least: int, text: str, most: int | None = None) -> Any:
    """An option that sets one figure of the load, of the type and with the default it has there."""
    default = next(known.default for known in fields(Load) if known.name == field)
    kind: Kind = click.IntRange if isinstance(default, int) else click.FloatRange
    return click.option(
        f"--{name}",
        field,
        type=kind(least, most),
        default=default,
        show_default=True,
        callback=_finite,
        help=text,
    )


def _finite(_: click.Context, __: click.Parameter, value: float) -> float:
    """Refuse `nan` and `inf`, which are within no range and outside none."""
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number that can be reckoned with")
    return value


_FIGURES: Final = (
    _figure("merchants", "merchants", 1, "Merchants of the app."),
    _figure("devices", "devices_per_merchant", 1, "Connections of a merchant at once."),
    _figure("customers", "customers", 0, "Connections of the other apps at once."),
    _figure("hours", "hours_per_day", 1, "Hours a day that a shop is open.", 24),
    _figure("days", "days", 1, "Days a month that a shop is open.", 31),
    _figure("heartbeat", "heartbeat_seconds", 1, "Seconds between two heartbeats of a device."),
    _figure("messages", "messages_per_merchant_per_day", 0, "Sent a day, heartbeats aside."),
    _figure("orders", "orders_per_merchant_per_day", 0, "Orders of a merchant a day."),
    _figure("toggles", "toggles_per_merchant_per_day", 0, "Times a day a shop opens or closes."),
    _figure("fan-out", "subscribers_per_business", 0, "Connections that hear of one toggle."),
)


def _figures(command: Callable[..., None]) -> Callable[..., None]:
    """An option for every figure of the load, in this order."""
    for option in reversed(_FIGURES):
        command = option(command)
    return command


@click.command()
@_figures
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
    console = Console(highlight=False)
    console.print(_bill_table(lines, date))
    console.print(
        "separate: an API of the app's own; events for customers are handed to the platform, which "
        "delivers them.",
        style="dim",
    )
    console.print(_limits_table(uses))
    for row in (*_cost_plot(by_factor), *_limits_plot(uses)):
        console.print(row, soft_wrap=True)


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
    for heading in ("allowed", "busiest second", "reached at", "can be raised"):
        table.add_column(heading, justify="right")
    for use in uses:
        table.add_row(
            _words(use.limit),
            f"{use.value:,}",
            f"{use.used:,.2f}",
            _reached(use),
            "yes" if use.raisable else "no",
        )
    return table


def _words(limit: str) -> str:
    return limit.replace("_", " ")


def _reached(use: LimitUse) -> str:
    return "never" if use.reached_at is None else f"{use.grows_with} x{use.reached_at:,.0f}"


def _cost_plot(by_factor: dict[int, tuple[float, float]]) -> Iterator[str]:
    """The bill as the load grows, on a logarithmic scale: equal steps are equal multiples."""
    yield "\nUS dollars a month as the load grows (logarithmic)"
    top = math.log10(max(max(pair) for pair in by_factor.values()))
    for factor, pair in by_factor.items():
        for name, value in zip(("separate", "shared"), pair, strict=True):
            length = max(1, round(_WIDTH * math.log10(max(value, 1)) / top))
            label = f"x{factor}" if name == "separate" else ""
            yield f"{label:>6} {name:<8} {'█' * length} {value:,.0f}"


def _limits_plot(uses: list[LimitUse]) -> Iterator[str]:
    """Where each limit is reached as the load, or the fan-out, grows a thousandfold."""
    yield "\nWhere each limit is reached as the load grows a thousandfold (fan-out: one merchant's)"
    margin = max(len(_words(use.limit)) for use in uses)
    ticks = "".join(f"{f'x{factor}':<{_WIDTH // 3}}" for factor in _FACTORS)
    yield f"{'':<{margin}} {ticks.rstrip()}"
    for use in uses:
        at = use.reached_at
        if at is None or at > _FACTORS[-1]:
            line = "─" * _WIDTH + "▶"
        else:
            line = "─" * round(_WIDTH * math.log10(max(at, 1)) / 3) + "●"
        yield f"{_words(use.limit):<{margin}} {line} {_reached(use)}"
