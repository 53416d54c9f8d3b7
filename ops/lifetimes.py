"""How long a connection's rows can stand for something that lives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from ops.paced import Row

LIFE_SECONDS: Final = 2 * 3600 + 600
"""No connection lives longer than two hours; clocks differ and writes are late by minutes."""


def began(row: Row) -> float | None:
    """When a connection began, in seconds since the epoch; None where nobody can tell."""
    try:
        moment = datetime.fromisoformat(str(row.get("connectedAt")))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def expired(row: Row, now: float) -> bool:
    """Whether DynamoDB may delete a row any time; it can take days over it."""
    ttl = row.get("ttl")
    return isinstance(ttl, float) and ttl <= now


def is_over(row: Row, now: float) -> bool:
    """Whether a connection cannot live any more; its `ttl` counts where it has no beginning."""
    start = began(row)
    return expired(row, now) if start is None else start + LIFE_SECONDS <= now
