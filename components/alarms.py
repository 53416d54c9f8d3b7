"""What an alarm is: a measure, from where on it is wrong, and what that means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MINUTE: Final = 60


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One statistic of one metric."""

    namespace: str
    name: str
    statistic: str
    dimensions: dict[str, str]
    period: int = MINUTE
    """Seconds."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """From where on a measure, or an expression over several (m0, m1, ...), is wrong."""

    name: str
    meaning: str
    measures: tuple[Measure, ...]
    threshold: float
    expression: str = ""
    below: bool = False
    """Goes off under the threshold, not over it."""
    points: int = 3
    of: int = 3
    missing: str = "notBreaching"


def total(count: int) -> str:
    """The sum of measures, where one that says nothing counts as none."""
    return f"SUM([{', '.join(f'FILL(m{number}, 0)' for number in range(count))}])"
