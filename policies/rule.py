"""What a rule is: a pure function over a resource, and everything that a reader must know of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

from policies.model import Deferred, Finding, Resource
from policies.settings import Settings
from policies.stack import Stack


class Enforcement(StrEnum):
    """What a violation does; the words are CrossGuard's own."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    DISABLED = "disabled"


class Severity(StrEnum):
    """How much harm the thing does that a rule stops."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


Outcome: TypeAlias = Finding | Deferred
ResourceCheck: TypeAlias = Callable[[Resource, Settings], Iterable[Outcome]]
StackCheck: TypeAlias = Callable[[Stack], Iterable[Outcome]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of the pack; a row of the table."""

    name: str
    enforcement: Enforcement
    severity: Severity
    stops: str
    """One sentence, what is not allowed: the policy's description."""
    why: str
    fix: str
    """What to do instead."""
    link: str
    """A public page that backs the rule."""
    kinds: frozenset[str] = frozenset()
    """Kinds of resources that the rule wants to see."""
    check: ResourceCheck | None = None
    check_stack: StackCheck | None = None
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """JSON schema of each key of the rule's configuration."""

    def message(self, finding: Finding) -> str:
        """Name the resource, the rule and what to do instead."""
        return f"{finding.resource.label}: {finding.problem}. [{self.name}] Instead: {self.fix}"


ADVISORY: Final = Enforcement.ADVISORY
MANDATORY: Final = Enforcement.MANDATORY
