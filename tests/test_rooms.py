"""The arrows between the rooms: who may import whom, read from the sources themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

ALLOWED = {
    "__main__": {"components", "lambdas.catalogue"},
    "components": {"components", "lambdas.catalogue"},
    "lambdas": {"lambdas"},
    "policies": {"policies"},
    "ops": {"ops"},
    "sandbox": {"sandbox"},
    "bench": {"bench", "components", "lambdas", "ops", "policies", "sandbox", "tests"},
}
"""Room -> what of this repository it may import: a room whole, or one module of it."""

ROOMS = {"components", "lambdas", "policies", "ops", "sandbox", "bench", "tests"}


def sources(room: str) -> list[Path]:
    if room == "__main__":
        return [ROOT / "__main__.py"]
    return sorted(path for path in (ROOT / room).rglob("*.py"))


def imports(path: Path, text: str | None = None) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a file imports, inside functions too."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text() if text is None else text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = (*base, *filter(None, [node.module]))
            for alias in node.names:
                yield node.lineno, ".".join((*module, alias.name))


def permitted(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in allowed)


def crossings(path: Path, allowed: set[str], text: str | None = None) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for line, name in imports(path, text)
        if name.split(".")[0] in ROOMS and not permitted(name, allowed)
    ]


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_only_what_its_arrows_allow(room: str) -> None:
    found = [crossing for path in sources(room) for crossing in crossings(path, ALLOWED[room])]
    assert found == []


def test_every_room_with_sources_has_its_arrows_written_down() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/*.py")} - {"tests", "__pycache__"}
    assert {room for room in rooms if not room.startswith(".")} <= set(ALLOWED)


def test_the_catalogue_costs_nothing_to_read() -> None:
    import sys

    names = {name.split(".")[0] for _, name in imports(ROOT / "lambdas" / "catalogue.py")}
    assert names <= set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    ("text", "forbidden"),
    [
        ("import lambdas.websocket", True),
        ("from lambdas import websocket", True),
        ("from lambdas.websocket import handler", True),
        ("def f():\n    from sandbox import cloud", True),
        ("from .. import ops", True),
        ("import ops", True),
        ("from lambdas import catalogue", False),
        ("from lambdas.catalogue import ROUTES", False),
        ("from . import package", False),
        ("import pulumi", False),
    ],
)
def test_a_forbidden_import_is_noticed_wherever_it_hides(text: str, forbidden: bool) -> None:
    path = ROOT / "components" / "imagined.py"
    assert bool(crossings(path, ALLOWED["components"], text)) is forbidden
