"""What stands in the two shared tables, counted in one paged, projected pass over each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ops.lifetimes import began, expired, is_over
from ops.paced import Row

AGES: Final[tuple[tuple[str, float], ...]] = (
    ("under 10 min", 600),
    ("under 1 h", 3600),
    ("under 2 h", 7200),
    ("over 2 h", float("inf")),
)
"""Bounds in seconds; no connection lives longer than two hours."""

CONNECTION: Final = (
    *("connectionId", "entityType", "userType", "isVirtualConnection", "connectedAt", "ttl"),
)
SUBSCRIPTION: Final = ("subscriptionId", "connectionId", "topic", "ttl")

_TOPIC_KIND = re.compile(r"^(merchant_status|business|order)(?=[:_])")


@dataclass(kw_only=True)
class Connections:
    """Live connection rows by app and age, and rows past their end."""

    by_app: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    stale: int = 0
    ids: set[str] = field(default_factory=set[str])

    def count(self, rows: Iterable[Row], now: float) -> None:
        """Count rows with the attributes CONNECTION."""
        for row in rows:
            if not expired(row, now):
                # Of a row that is only too old, something may still be said to hang on it.
                self.ids.add(str(row.get("connectionId")))
            if expired(row, now) or is_over(row, now):
                self.stale += 1
                continue
            self.by_app.setdefault(_app(row), Counter[str]())[_age(row, now)] += 1


@dataclass(kw_only=True)
class Subscriptions:
    """Live subscription rows by topic kind, rows past their end, and rows without a connection."""

    by_kind: Counter[str] = field(default_factory=Counter[str])
    stale: int = 0
    orphans: int = 0

    def count(self, rows: Iterable[Row], live: set[str], now: float) -> None:
        """Count rows with the attributes SUBSCRIPTION; without a `live` connection is an orphan.

        A `merchant_status_<businessId>` row belongs to a business, not to a connection.
        """
        for row in rows:
            if expired(row, now):
                self.stale += 1
                continue
            connection = row.get("connectionId")
            if connection is not None and connection not in live:
                self.orphans += 1
            kind = _TOPIC_KIND.match(str(row.get("topic", "")))
            self.by_kind[kind.group(1) if kind else "other"] += 1


def _app(row: Row) -> str:
    """Whose connection it is; drivers' and agents' rows say it in another attribute."""
    if row.get("isVirtualConnection"):
        return "virtual"
    return str(row.get("entityType") or row.get("userType") or "unknown")


def _age(row: Row, now: float) -> str:
    """How old a connection is; one without a time that can be read counts as over two hours."""
    start = began(row)
    age = float("inf") if start is None else now - start
    return next((name for name, bound in AGES if age < bound), AGES[-1][0])
