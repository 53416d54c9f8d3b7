"""What is checked: resources, wherever they were read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from policies.model import Registered


class UncheckableError(Exception):
    """Nothing can be said: the input is missing, unreadable, or a program that fails."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One input of the check, read."""

    file: Path
    """What a finding points at."""
    what: str
    registered: Sequence[Registered]
    stack: str = ""
    config: Mapping[str, str] = field(default_factory=dict[str, str])
    note: str = ""
    """What a reader must know about this reading: preview or with values."""


def mapping(value: object) -> dict[str, Any]:
    """Return a document's mapping; anything else reads as an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def elements(value: object) -> list[Any]:
    """Return a document's list; anything else reads as an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def read_text(file: Path) -> str:
    """Return a file's text; raises `UncheckableError`."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UncheckableError(f"{file} cannot be read: {error}") from error
