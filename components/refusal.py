"""Why a deployment is refused: findings collected first, and reported all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import pulumi

First = TypeVar("First")
Second = TypeVar("Second")
Read = TypeVar("Read")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong: what it is about, what was found, and the way out."""

    subject: str
    finding: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.finding}\n    What to do: {self.remedy}"


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A read that failed for a reason that says nothing about the platform."""

    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what} could not be read, so it was not verified: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a verification came to."""

    problems: list[Problem] = field(default_factory=list[Problem])
    warnings: list[str] = field(default_factory=list[str])

    def refuse(self, subject: str, finding: str, remedy: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(subject=subject, finding=finding, remedy=remedy))

    def readable(self, value: Read | Unreadable) -> Read | None:
        """The value; None, and a warning, where it could not be read."""
        if isinstance(value, Unreadable):
            self.warnings.append(str(value))
            return None
        return value


class DeploymentRefused(pulumi.RunError):
    """Nothing is created, for the reasons listed; Pulumi shows a RunError without a traceback."""

    headline = "The deployment is refused"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        things = "1 problem" if count == 1 else f"{count} problems"
        listed = "\n".join(f"  {number}. {problem}" for number, problem in enumerate(self, start=1))
        super().__init__(f"{self.headline} ({things}, nothing was created):\n{listed}")

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.problems)


class SettingsRefused(DeploymentRefused):
    """The stack's configuration is missing something or says something impossible."""

    headline = "The configuration of this stack cannot be used"


class PlatformRefused(DeploymentRefused):
    """The shared platform is not there, or not as the order receiver needs it."""

    headline = "The order receiver cannot join the shared platform as it is"


class PackageRefused(DeploymentRefused):
    """The Lambda package is missing, stale or cannot be built."""

    headline = "The Lambda package cannot be used"


def at_once(first: Callable[[], First], second: Callable[[], Second]) -> tuple[First, Second]:
    """Do both, so that whoever has two things to mend learns of both in one run."""
    try:
        one = first()
    except DeploymentRefused as refusal:
        try:
            second()
        except DeploymentRefused as another:
            raise DeploymentRefused((*refusal, *another)) from another
        raise
    return one, second()
