"""What a benchmark returns: one measured thing beside another, and how far apart they should be."""

from dataclasses import dataclass
from enum import StrEnum


class Goal(StrEnum):
    """Which side of its bound a ratio should be on."""

    AT_LEAST = "≥"
    AT_MOST = "≤"
    SHOWN = ""
    """No goal: shown so that the others can be understood."""


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Ours divided by a peer's, both measured in this run."""

    what: str
    ours: float
    peer: float
    unit: str
    against: str
    goal: Goal = Goal.SHOWN
    bound: float = 0.0

    @property
    def value(self) -> float:
        """The ratio."""
        return self.ours / self.peer

    @property
    def holds(self) -> bool:
        """Whether the goal is reached."""
        match self.goal:
            case Goal.AT_LEAST:
                return self.value >= self.bound
            case Goal.AT_MOST:
                return self.value <= self.bound
            case Goal.SHOWN:
                return True
