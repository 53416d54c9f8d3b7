"""How far a repair got and what it did, one line for each thing in a file that only grows.

A row's line is written before it is mended ("begun") and again when its outcome is known, so that a
run that was killed anywhere can be told of in full. The place is noted after each page.
"""

from __future__ import annotations

import fcntl
import json
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, Literal, cast

from ops.errors import OperatorError
from ops.repair.decisions import Kind, Left, Table, Write

TABLES: Final[tuple[Table, ...]] = ("connections", "subscriptions")
"""In the order in which they are worked off."""

BEGUN: Final = "begun"
"""Said of a row whose outcome was not noted: the run was killed at that moment."""
_HEADER: Final = '{"repair": '
MENDED: Final = "mended"
State = Literal["unfinished", "complete"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row that is wrong, or looks so."""

    table: Table
    key: str
    kind: Kind | None
    """What is wrong with it; None where it was left alone for a reason of its own."""
    outcome: str
    """`found`, `begun`, `mended`, or why it was left alone."""


@dataclass(kw_only=True)
class Journal:
    """What one repair has come to; kept in a file, too, where something is written."""

    subject: str
    """Which stack's tables these are."""
    file: IO[bytes] | None = None
    entries: dict[tuple[str, str, str], Entry] = field(
        default_factory=dict[tuple[str, str, str], Entry]
    )
    counts: Counter[tuple[Table, str]] = field(default_factory=Counter[tuple[Table, str]])
    """Rows of each table that are `wrong`, `mended` or `left alone`."""
    read: Counter[str] = field(default_factory=Counter[str])
    """Rows of each table that have been looked at."""
    table: Table = TABLES[0]
    after: str | None = None
    """Where to go on: in this table, after this key."""
    state: State = "unfinished"
    continued: bool = False
    """Whether a run that was broken off is gone on with."""
    told: bool = False
    """Whether the operator has been given the report of the whole."""
    _unsaved: list[str] = field(default_factory=list[str])

    def begin(self) -> None:
        """Write that a repair begins here."""
        began = datetime.now(UTC).isoformat(timespec="seconds")
        self._write({"repair": self.subject, "began": began})
        self.save()

    def note(self, write: Write, outcome: str) -> None:
        """Note what is about to be done to a row, or what became of it."""
        self._enter(Entry(table=write.table, key=write.key, kind=write.kind, outcome=outcome))

    def leave(self, left: Left) -> None:
        """Note a row that looks wrong and is left alone."""
        self._enter(Entry(table=left.table, key=left.key, kind=None, outcome=left.reason))

    def passed(self, table: Table, last: str | None, rows: int) -> None:
        """Note that a page is done, and which key comes before the next one."""
        self._write({"read": rows, "table": table, "after": last})
        self._pass(table, last, rows)

    def tell(self) -> None:
        """Note that the report was given; a repair that came to its end is over with that."""
        if self.state == "complete":
            self._write({"told": datetime.now(UTC).isoformat(timespec="seconds")})
            self.save()

    def save(self) -> None:
        """Have everything noted so far outlive this process. Raises OperatorError."""
        unsaved = "".join(self._unsaved).encode()
        self._unsaved.clear()
        try:
            while unsaved and self.file is not None:
                unsaved = unsaved[self.file.write(unsaved) :]
        except OSError as error:
            raise _unwritable(str(self.file.name if self.file else ""), error) from error

    def _pass(self, table: Table, last: str | None, rows: int) -> None:
        self.read[table] += rows
        self.table, self.after = table, last
        if last is not None:
            return
        following = TABLES[TABLES.index(table) + 1 :]
        if following:
            self.table = following[0]
        else:
            self.state = "complete"

    def _enter(self, entry: Entry) -> None:
        self._keep(entry)
        self._write(
            {
                "row": entry.key,
                "table": entry.table,
                "kind": entry.kind,
                "outcome": entry.outcome,
            }
        )

    def _keep(self, entry: Entry) -> None:
        place = (entry.table, entry.key, entry.kind or "")
        if before := self.entries.get(place):
            self._count(before, -1)
        self.entries[place] = entry
        self._count(entry, 1)

    def _count(self, entry: Entry, change: int) -> None:
        self.counts[entry.table, "left alone" if entry.kind is None else "wrong"] += change
        if entry.outcome == MENDED:
            self.counts[entry.table, MENDED] += change

    def _write(self, line: dict[str, Any]) -> None:
        if self.file is not None:
            self._unsaved.append(json.dumps(line, ensure_ascii=False) + "\n")

    def take(self, line: dict[str, Any]) -> None:
        """Learn from a line of the file what a former run did."""
        if "row" in line:
            self._keep(
                Entry(
                    table=line["table"],
                    key=line["row"],
                    kind=line["kind"],
                    outcome=line["outcome"],
                )
            )
        elif "told" in line:
            self.told = True
        else:
            self._pass(line["table"], line["after"], line["read"])


@contextmanager
def kept(path: Path, subject: str, *, anew: bool) -> Generator[Journal]:
    """The journal in a file: that of a run that was broken off, or else a new one behind it.

    Raises OperatorError where the file is another stack's, is none of ours, cannot be written, or
    is in use.
    """
    try:
        file = path.open("ab+", buffering=0)
    except OSError as error:
        raise _unwritable(str(path), error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OperatorError(f"{path} is in use: another repair is going on here") from error
        journal = _read(file, path, subject)
        if journal is None or journal.told or anew:
            journal = Journal(subject=subject)
        journal.file = file
        if not journal.continued:
            journal.begin()
        try:
            yield journal
        finally:
            journal.save()


def _unwritable(name: str, error: OSError) -> OperatorError:
    return OperatorError(
        f"cannot write the journal {name}: {error.strerror}: name another with --journal FILE"
    )


def _read(file: IO[bytes], path: Path, subject: str) -> Journal | None:
    """The last repair that the file tells of; a line that was cut off by a kill does not count.

    That line is ended, so that what follows stands on lines of its own.
    """
    file.seek(0)
    journal: Journal | None = None
    try:
        *lines, torn = file.read().decode().split("\n")
        for line in lines:
            entry = _parsed(line)
            if entry is None:
                continue
            if "repair" not in entry:
                if journal is None:
                    raise KeyError("repair")
                journal.take(entry)
                continue
            if entry["repair"] != subject:
                raise OperatorError(
                    f"{path} tells of a repair of {entry['repair']}, not of {subject}: name "
                    "another with --journal FILE"
                )
            journal = Journal(subject=subject, continued=True)
        if journal is None and (any(lines) or not _HEADER.startswith(torn[: len(_HEADER)])):
            raise KeyError("repair")
    except (KeyError, TypeError, UnicodeDecodeError) as error:
        raise OperatorError(
            f"{path} is not a journal of a repair: name another with --journal FILE"
        ) from error
    if torn:
        file.write(b"\n")
    return journal


def _parsed(line: str) -> dict[str, Any] | None:
    """A line's object, or None where a kill cut it off."""
    try:
        entry = cast("object", json.loads(line))
    except json.JSONDecodeError:
        return None
    return cast("dict[str, Any]", entry) if isinstance(entry, dict) else None
