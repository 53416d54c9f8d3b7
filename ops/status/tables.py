"""What stands in the two shared tables, counted in one paged, projected pass over each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

AGES: tuple[tuple[str, float], ...] = (
    ("under 10 min", 600),
    ("under 1 h", 3600),
    ("under 2 h", 7200),
    ("over 2 h", float("inf")),
)
"""Bounds in seconds; no connection lives longer than two hours."""

_TOPIC_KIND = re.compile(r"^(merchant_status|business|order)")


@dataclass(kw_only=True)
class Connections:
    """Live connection rows by entity type and age, and rows past their end."""

    by_app: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    stale: int = 0
    ids: set[str] = field(default_factory=set[str])


@dataclass(kw_only=True)
class Subscriptions:
    """Live subscription rows by topic kind, rows past their end, and rows without a connection."""

    by_kind: Counter[str] = field(default_factory=Counter[str])
    stale: int = 0
    orphans: int = 0


def count_connections(rows: Iterable[Mapping[str, Any]], now: float) -> Connections:
    """Count connection rows; `rows` hold connectionId, entityType, connectedAt and ttl."""
    counts = Connections()
    for row in rows:
        if _expired(row, now):
            counts.stale += 1
            continue
        counts.ids.add(str(row.get("connectionId")))
        age = _age(row.get("connectedAt"), now)
        label = next(name for name, bound in AGES if age < bound)
        counts.by_app[str(row.get("entityType", "unknown")), label] += 1
    return counts


def count_subscriptions(
    rows: Iterable[Mapping[str, Any]], live: set[str], now: float
) -> Subscriptions:
    """Count subscription rows; one whose connection is not `live` is an orphan.

    A `merchant_status_<businessId>` row belongs to a business, not to a connection.
    """
    counts = Subscriptions()
    for row in rows:
        if _expired(row, now):
            counts.stale += 1
            continue
        connection = row.get("connectionId")
        if connection is not None and connection not in live:
            counts.orphans += 1
        kind = _TOPIC_KIND.match(str(row.get("topic", "")))
        counts.by_kind[kind.group(1) if kind else "other"] += 1
    return counts


def pages(client: Any, table: str, attributes: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Every row of a table, just these attributes, as plain values, page by page."""
    names = {f"#{position}": name for position, name in enumerate(attributes)}
    paginator = client.get_paginator("scan")
    for page in paginator.paginate(
        TableName=table,
        ProjectionExpression=", ".join(names),
        ExpressionAttributeNames=names,
    ):
        for item in page["Items"]:
            yield {name: _plain(value) for name, value in item.items()}


def _plain(value: Mapping[str, Any]) -> Any:
    kind, inner = next(iter(value.items()))
    return float(inner) if kind == "N" else inner


def _expired(row: Mapping[str, Any], now: float) -> bool:
    ttl = row.get("ttl")
    return isinstance(ttl, float) and ttl <= now


def _age(connected_at: object, now: float) -> float:
    """Seconds since an ISO time; a row without a time that can be read counts as over two hours."""
    try:
        moment = datetime.fromisoformat(str(connected_at))
    except ValueError:
        return AGES[-2][1]
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, now - moment.timestamp())
