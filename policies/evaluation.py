"""Running rules over a resource: dispatch by kind, so that a rule sees only what it asked for."""

from collections.abc import Iterator, Sequence
from typing import Final

from policies.resource import Resource
from policies.rule import Outcome, Rule
from policies.settings import Settings


class Evaluation:
    """The rules that are switched on, indexed by the kinds that they want to see."""

    def __init__(self, rules: Sequence[Rule], settings: Settings) -> None:
        self.settings: Final = settings
        self._by_kind: dict[str, list[Rule]] = {}
        for rule in rules:
            if rule.check is not None:
                for kind in rule.kinds:
                    self._by_kind.setdefault(kind, []).append(rule)

    def wants(self, kind: str | None) -> bool:
        """Say whether any rule would look at this kind."""
        return kind in self._by_kind

    def check(self, resource: Resource) -> Iterator[tuple[Rule, Outcome]]:
        """Run every rule that wants this kind of resource."""
        for rule in self._by_kind.get(resource.kind or "", ()):
            assert rule.check is not None
            for outcome in rule.check(resource, self.settings):
                yield rule, outcome
