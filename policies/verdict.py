"""What becomes of a rule's outcome: held against the resource, exempted, or put off."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policies.exemptions import Exemption, Exemptions
from policies.model import Deferred, Resource
from policies.rule import Outcome, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A finding that counts."""

    rule: Rule
    resource: Resource
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exempted:
    """A finding that an exemption lets pass."""

    rule: Rule
    resource: Resource
    exemption: Exemption

    @property
    def reason(self) -> str:
        """Why it passes, and until when."""
        return f"exempted until {self.exemption.expires}: {self.exemption.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOff:
    """What is decided once the values are known."""

    rule: Rule
    resource: Resource
    reason: str


Verdict = Violation | Exempted | PutOff


def judge(outcomes: Iterable[tuple[Rule, Outcome]], exemptions: Exemptions) -> Iterator[Verdict]:
    """Weigh outcomes against the exemptions."""
    for rule, outcome in outcomes:
        resource = outcome.resource
        if isinstance(outcome, Deferred):
            yield PutOff(rule=rule, resource=resource, reason=outcome.reason)
            continue
        exemption = exemptions.find(rule.name, resource)
        if exemption is not None:
            yield Exempted(rule=rule, resource=resource, exemption=exemption)
            continue
        message = rule.message(outcome)
        expired = exemptions.expired(rule.name, resource)
        if expired is not None:
            message += f" (Its exemption expired on {expired.expires}.)"
        yield Violation(rule=rule, resource=resource, message=message)
