"""What is saved before anything is changed: template, parameters, tags and the table's rows."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ops.errors import OperatorError
from ops.migrate.legacy import LegacyStack
from ops.migrate.template import load

TEMPLATE = "template"
STACK = "stack.json"
ROWS = "connections.jsonl"


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A backup as it is read again."""

    text: str
    template: dict[str, Any]
    parameters: dict[str, str]


def save(
    legacy: LegacyStack,
    dynamodb: Any,
    table: str | None,
    folder: Path,
    progress: Callable[[int, int | None], None],
) -> int:
    """Write the backup of a stack and its table, and read it again; returns how many rows it has.

    Every file is whole or absent, also on a full disk. `progress` gets rows saved, of about how
    many. Raises OperatorError where the folder cannot be written.
    """
    rows = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _written(folder / TEMPLATE) as file:
            file.write(legacy.template_text)
        with _written(folder / STACK) as file:
            json.dump(_stack(legacy), file, indent=2)
        if table is not None:
            with _written(folder / ROWS) as file:
                rows = _save_rows(dynamodb, table, file, progress)
    except OSError as error:
        raise OperatorError(
            f"the backup could not be written to {folder}: {error.strerror}"
        ) from error
    _check(legacy, folder, rows if table is not None else None)
    return rows


def read(folder: str) -> Saved:
    """A backup, from its folder. Raises OperatorError where it is not on this machine."""
    try:
        text = (Path(folder) / TEMPLATE).read_text(encoding="utf-8")
        stack = json.loads((Path(folder) / STACK).read_text(encoding="utf-8"))
    except OSError as error:
        raise OperatorError(
            f"the backup in {folder} is not on this machine ({error.strerror}): bring the folder "
            "over, or run the rollback where it was made"
        ) from error
    return Saved(text=text, template=load(text), parameters=stack["parameters"])


def _check(legacy: LegacyStack, folder: Path, rows: int | None) -> None:
    saved = read(str(folder))
    kept = None
    if rows is not None:
        with (folder / ROWS).open(encoding="utf-8") as file:
            kept = sum(1 for line in file if json.loads(line))
    if saved.template != legacy.template or kept != rows:
        raise OperatorError(
            f"the backup in {folder} does not read as it was written: is the disk sound, and does "
            "nobody else write there?"
        )


def _stack(legacy: LegacyStack) -> dict[str, Any]:
    return {
        "stack": legacy.name,
        "parameters": dict(legacy.parameters),
        "tags": [dict(tag) for tag in legacy.tags],
        "physical": dict(legacy.physical),
    }


def _save_rows(
    dynamodb: Any, table: str, file: IO[str], progress: Callable[[int, int | None], None]
) -> int:
    about = int(dynamodb.describe_table(TableName=table)["Table"].get("ItemCount", 0))
    saved = 0
    progress(saved, about)
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        file.writelines(f"{json.dumps(item, default=_binary)}\n" for item in page["Items"])
        saved += len(page["Items"])
        progress(saved, max(saved, about))
    progress(saved, saved)
    return saved


def _binary(value: object) -> str:
    """A binary attribute in the form of DynamoDB's own JSON."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"an attribute of type {type(value).__name__} cannot be saved")


@contextmanager
def _written(path: Path) -> Generator[IO[str]]:
    """A file that takes its place when it is complete, and leaves no trace when it is not."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
