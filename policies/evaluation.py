"""Running rules over resources: dispatch by kind, so that a rule sees only what it asked for."""

from collections.abc import Iterator, Sequence
from typing import Final

from policies import carriers
from policies.model import NOTHING, Finding, Registered, Resource
from policies.rule import Outcome, Rule
from policies.settings import Settings
from policies.stack import KINDS as STACK_KINDS
from policies.stack import Stack


class Evaluation:
    """The rules that are switched on, indexed by the kinds that they want to see."""

    def __init__(self, rules: Sequence[Rule], settings: Settings) -> None:
        self.settings: Final = settings
        self.stack_rules: Final = tuple(rule for rule in rules if rule.check_stack is not None)
        self._by_kind: dict[str, list[Rule]] = {}
        for rule in rules:
            if rule.check is not None:
                for kind in rule.kinds:
                    self._by_kind.setdefault(kind, []).append(rule)
        self._wanted = frozenset(self._by_kind) | carriers.KINDS

    def wants(self, kind: str | None) -> bool:
        """Say whether any rule would look at this kind, or into it."""
        return kind in self._wanted

    @staticmethod
    def wants_in_stack(kind: str | None) -> bool:
        """Say whether a rule over a stack would look at this kind."""
        return kind in STACK_KINDS

    def check(self, resource: Resource) -> Iterator[tuple[Rule, Outcome]]:
        """Run every rule over the resource and over whatever it carries inside."""
        if resource.kind not in carriers.KINDS:
            yield from self._check_one(resource)
            return
        for inner in carriers.opened(resource):
            yield from self._check_one(inner)

    def _check_one(self, resource: Resource) -> Iterator[tuple[Rule, Outcome]]:
        for rule in self._by_kind.get(resource.kind or "", ()):
            assert rule.check is not None
            try:
                outcomes = tuple(rule.check(resource, self.settings))
            except Exception as error:  # noqa: BLE001 - a rule that fails must not let a resource pass
                outcomes = (_failed(resource, error),)
            for outcome in outcomes:
                yield rule, outcome

    def check_stack(self, registered: Sequence[Registered]) -> Iterator[tuple[Rule, Outcome]]:
        """Run every rule that looks at a whole stack."""
        stack = Stack(registered, self.settings)
        for rule in self.stack_rules:
            assert rule.check_stack is not None
            try:
                outcomes = tuple(rule.check_stack(stack))
            except Exception as error:  # noqa: BLE001 - as above
                outcomes = (_failed(NOTHING, error),)
            for outcome in outcomes:
                yield rule, outcome


def _failed(resource: Resource, error: Exception) -> Finding:
    problem = f"the rule could not be run over it ({type(error).__name__}: {error})"
    return Finding(resource=resource, problem=problem)
