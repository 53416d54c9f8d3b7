"""What is saved before anything is changed: template, parameters, tags and the table's rows."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ops.errors import OperatorError
from ops.migrate.legacy import LegacyStack
from ops.migrate.template import load

TEMPLATE = "template"
STACK = "stack.json"
ROWS = "connections.jsonl"


def save(legacy: LegacyStack, dynamodb: Any, folder: Path, progress: Callable[[int], None]) -> None:
    """Write the backup; every file is whole or absent, also on a full disk.

    Raises OperatorError where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / TEMPLATE, legacy.template_text)
        stack = {
            "stack": legacy.name,
            "parameters": dict(legacy.parameters),
            "tags": [dict(tag) for tag in legacy.tags],
            "physical": dict(legacy.physical),
        }
        _write(folder / STACK, json.dumps(stack, indent=2))
        table = legacy.table()
        if table is not None:
            _write(folder / ROWS, _rows(dynamodb, table, progress))
    except OSError as error:
        raise OperatorError(
            f"the backup could not be written to {folder}: {error.strerror}"
        ) from error


def template_in(folder: str) -> dict[str, Any]:
    """The template of a backup. Raises OperatorError where it is not on this machine."""
    try:
        return load((Path(folder) / TEMPLATE).read_text(encoding="utf-8"))
    except OSError as error:
        raise OperatorError(
            f"the backup in {folder} is not on this machine ({error.strerror}): bring the folder "
            "over, or run the rollback where it was made"
        ) from error


def _rows(dynamodb: Any, table: str, progress: Callable[[int], None]) -> str:
    lines: list[str] = []
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        lines.extend(json.dumps(item, default=_binary) for item in page["Items"])
        progress(len(lines))
    return "".join(f"{line}\n" for line in lines)


def _binary(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"an attribute of type {type(value).__name__} cannot be saved")


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
