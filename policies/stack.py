"""A finished preview or update as rules over a stack see it: indexed once, asked many times."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

from policies.kinds import (
    EVENT_RULE,
    EVENT_SOURCE,
    EVENT_TARGET,
    FUNCTION,
    INVOKE_CONFIG,
    LOG_GROUP,
    PERMISSION,
)
from policies.model import Registered
from policies.rules import function_environment
from policies.settings import Settings
from policies.values import Text

KINDS: Final = frozenset(
    {FUNCTION, LOG_GROUP, PERMISSION, EVENT_SOURCE, EVENT_TARGET, EVENT_RULE, INVOKE_CONFIG}
)


class Stack:
    """The resources that rules about functions ask for, and who refers to whom."""

    def __init__(self, registered: Sequence[Registered], settings: Settings) -> None:
        self.registered: Final = registered
        self.settings: Final = settings
        self._of_kind: dict[str, list[Registered]] = defaultdict(list)
        for entry in registered:
            kind = entry.resource.kind
            if kind in KINDS:
                self._of_kind[kind].append(entry)

    def of_kind(self, kind: str) -> Sequence[Registered]:
        """Return the stack's resources of one kind."""
        return self._of_kind.get(kind, ())

    def functions(self, rule: str) -> Sequence[Registered]:
        """Return the functions that a rule looks at: the shared platform's, or every one."""
        everywhere = self.settings.flag(rule, "everywhere")
        return self.of_kind(FUNCTION) if everywhere else self._platform_functions

    @cached_property
    def _platform_functions(self) -> Sequence[Registered]:
        return [
            function
            for function in self.of_kind(FUNCTION)
            if function_environment.serves_shared_api(function.resource, self.settings)
        ]

    def referred(self, kind: str, entry: Registered, name: str) -> Iterable[Registered]:
        """Yield the resources of a kind that one property of another refers to."""
        urns = entry.property_dependencies.get(name, ())
        text = entry.resource.props.text(name)
        for other in self.of_kind(kind):
            known = names_of(other)
            if other.resource.urn in urns or (isinstance(text, str) and text in known):
                yield other

    def referring(self, kind: str, function: Registered, *names: str) -> Iterable[Registered]:
        """Yield the resources of a kind that name a function in one of these properties."""
        known = names_of(function)
        for entry in self.of_kind(kind):
            for name in names:
                if function.resource.urn in entry.property_dependencies.get(name, ()):
                    yield entry
                    break
                text = entry.resource.props.text(name)
                if isinstance(text, str) and any(
                    text == own or text.endswith(f":function:{own}") for own in known
                ):
                    yield entry
                    break


def names_of(entry: Registered) -> set[str]:
    """Return the texts that a resource is referred to by, as far as they are known."""
    props = entry.resource.props
    found: list[Text] = [props.text(name) for name in ("name", "functionName", "arn", "invokeArn")]
    return {text for text in found if isinstance(text, str) and text}
