"""What the check found, in one shape for every format."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from policies.rule import Enforcement, Rule
from policies.verdict import Exempted, PutOff, Violation


@dataclass(frozen=True, kw_only=True)
class Found:
    """One violation, and where it was found."""

    violation: Violation
    level: Enforcement
    file: Path
    line: int
    notes: tuple[str, ...]
    """The readings that found it, where there are several: in preview, with values."""

    @property
    def rule(self) -> Rule:
        """The rule that is broken."""
        return self.violation.rule

    @property
    def where(self) -> str:
        """The resource, as a person would point at it."""
        return self.violation.resource.label if self.violation.resource.type else "the pack"


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that one run of the check has to say."""

    rules: Sequence[Rule]
    checked: Sequence[str]
    """What was checked, in words."""
    resources: int
    found: Sequence[Found]
    exempted: Sequence[Exempted] = field(default=())
    put_off: Sequence[PutOff] = field(default=())

    @cached_property
    def by_level(self) -> Counter[Enforcement]:
        """How many violations there are of each level."""
        return Counter(found.level for found in self.found)

    @property
    def passes(self) -> bool:
        """Whether nothing mandatory was violated."""
        return not self.by_level[Enforcement.MANDATORY]
