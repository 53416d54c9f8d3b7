"""Runs the benchmarks and prints their ratios: `python -m bench`, or `python -m bench NAME ...`."""

import importlib
import pkgutil
import sys
from collections.abc import Iterable
from types import ModuleType

from rich.console import Console
from rich.table import Table

import bench
from bench.ratio import Goal, Ratio


def benchmarks() -> dict[str, ModuleType]:
    """Every benchmark by name."""
    found: dict[str, ModuleType] = {}
    for module in pkgutil.iter_modules(bench.__path__):
        if module.name == "__main__":
            continue
        loaded = importlib.import_module(f"bench.{module.name}")
        if hasattr(loaded, "run"):
            found[module.name] = loaded
    return found


def table(title: str, ratios: Iterable[Ratio]) -> Table:
    shown = Table(title=title, title_justify="left")
    for heading in ("", "ours", "peer", "unit", "against", "ratio", "goal", ""):
        shown.add_column(heading, justify="right" if heading in ("ours", "peer") else "left")
    for one in ratios:
        shown.add_row(
            one.what,
            f"{one.ours:,.4g}",
            f"{one.peer:,.4g}",
            one.unit,
            one.against,
            f"{one.value:.2f}",
            "" if one.goal is Goal.SHOWN else f"{one.goal} {one.bound:g}",
            "" if one.goal is Goal.SHOWN else "ok" if one.holds else "MISSED",
        )
    return shown


def main(names: list[str]) -> int:
    console = Console()
    found = benchmarks()
    unknown = [name for name in names if name not in found]
    if unknown:
        known = "\n".join(
            f"  {name:24} {(module.__doc__ or '').splitlines()[0]}"
            for name, module in found.items()
        )
        console.print(f"no benchmark {', '.join(unknown)}; there are:\n{known}", markup=False)
        return 2
    missed = False
    for name in names or found:
        ratios: list[Ratio] = found[name].run()
        console.print(table(f"{name}: {(found[name].__doc__ or '').splitlines()[0]}", ratios))
        missed = missed or not all(one.holds for one in ratios)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
