"""What a repair found, what it mended, and what it left alone and why: as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter

from ops.repair.journal import BEGUN, Entry, Journal
from ops.repair.run import FOUND

SHOWN = 20
"""Rows of one sort that the text names; the JSON names all."""
UNSURE = "begun when the run was killed"


def as_json(journal: Journal, *, applied: bool) -> str:
    """The whole report as one JSON object."""
    wrong, left = _sorted_out(journal)
    document = {
        "applied": applied,
        "state": journal.state,
        "read": dict(journal.read),
        "found": dict(Counter(entry.kind for entry in wrong)),
        "outcome": dict(Counter(_said(entry) for entry in wrong)) if applied else {},
        "leftAlone": dict(Counter(entry.outcome for entry in left)),
        "rows": [
            {
                "kind": entry.kind,
                "table": entry.table,
                "key": entry.key,
                "outcome": _said(entry),
            }
            for entry in (*wrong, *left)
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def as_text(journal: Journal, *, applied: bool) -> str:
    """The report for a person: the first rows of each sort, then all of them counted."""
    wrong, left = _sorted_out(journal)
    lines: list[str] = []
    by_kind: dict[tuple[str, str, str], list[str]] = {}
    for entry in wrong:
        by_kind.setdefault((str(entry.kind), entry.table, _said(entry)), []).append(entry.key)
    for (kind, table, outcome), keys in by_kind.items():
        said = "" if outcome == FOUND else f", {outcome}"
        lines.append(f"{kind}, {table}{said}: {len(keys):,}")
        lines += [f"  {key}" for key in keys[:SHOWN]]
        if len(keys) > SHOWN:
            lines.append(f"  and {len(keys) - SHOWN:,} more")
    for reason, count in Counter((entry.table, entry.outcome) for entry in left).items():
        lines.append(f"left alone, {reason[0]}: {count:,}: {reason[1]}")
    read = " and ".join(f"{count:,} {table}" for table, count in journal.read.items())
    lines.append(f"{read or 'nothing'} read; {_summary(wrong, applied=applied)}")
    return "\n".join(lines)


def _summary(wrong: list[Entry], *, applied: bool) -> str:
    if not wrong:
        return "nothing to mend"
    if not applied:
        return f"{len(wrong):,} to mend; nothing was written: --apply mends them"
    outcomes = Counter(_said(entry) for entry in wrong)
    return ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.items())


def _sorted_out(journal: Journal) -> tuple[list[Entry], list[Entry]]:
    """The rows that are wrong, and those that were left alone for a reason of their own."""
    entries = journal.entries.values()
    wrong = [entry for entry in entries if entry.kind is not None]
    return wrong, [entry for entry in entries if entry.kind is None]


def _said(entry: Entry) -> str:
    return UNSURE if entry.outcome == BEGUN else entry.outcome
