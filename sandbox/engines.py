"""Which engine runs the programs: the Pulumi CLI where there is one, else the built-in one."""

import os
import shutil
from pathlib import Path
from typing import Final

from sandbox.errors import SandboxError
from sandbox.stack import Engine

NAMES: Final = ("pulumi", "builtin")


def choose(name: str | None = None, *, before: str | None = None) -> Engine:
    """Return the engine of that name; without one the environment's ENGINE says, or what is there.

    `before` is the engine that deployed the stack: it goes on, and another one is refused, for it
    would know nothing of what exists.
    """
    asked = name or os.environ.get("ENGINE") or ""
    if asked not in {*NAMES, ""}:
        raise SandboxError(
            f"ENGINE={asked}", "there is no such engine", f"use {' or '.join(NAMES)}"
        )
    if before and asked and asked != before:
        raise SandboxError(
            f"ENGINE={asked}", f"the stack was deployed by {before}", "run first: make down"
        )
    cli = shutil.which("pulumi")
    wanted = asked or before or ("pulumi" if cli else "builtin")
    if wanted == "pulumi" and cli is None:
        raise SandboxError(
            "ENGINE=pulumi", "there is no `pulumi` on PATH", "install it, or use ENGINE=builtin"
        )
    if wanted == "pulumi":
        from sandbox.pulumi_cli import PulumiCli

        return PulumiCli()
    from sandbox.engine import BuiltinEngine

    return BuiltinEngine()


def remembered(home: Path) -> str | None:
    """Return the name of the engine that deployed this repository's stack, or nothing."""
    try:
        found = home.joinpath("engine-name").read_text().strip()
    except OSError:
        return None
    return found if found in NAMES else None


def remember(home: Path, engine: Engine) -> None:
    """Note which engine deploys this repository's stack."""
    home.joinpath("engine-name").write_text(f"{engine.name}\n")
