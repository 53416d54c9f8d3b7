"""A finished preview or update as rules over a stack see it: indexed once, asked many times."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from policies.kinds import (
    EVENT_SOURCE,
    EVENT_TARGET,
    FUNCTION,
    INVOKE_CONFIG,
    LOG_GROUP,
    PERMISSION,
)
from policies.resource import Registered
from policies.values import Text

KINDS: Final = frozenset(
    {FUNCTION, LOG_GROUP, PERMISSION, EVENT_SOURCE, EVENT_TARGET, INVOKE_CONFIG}
)


class Stack:
    """The resources that rules about functions ask for, and who refers to whom."""

    def __init__(self, registered: Sequence[Registered]) -> None:
        self._of_kind: dict[str, list[Registered]] = defaultdict(list)
        for entry in registered:
            kind = entry.resource.kind
            if kind in KINDS:
                self._of_kind[kind].append(entry)

    def of_kind(self, kind: str) -> Sequence[Registered]:
        """Return the stack's resources of one kind."""
        return self._of_kind.get(kind, ())

    def referring(self, kind: str, function: Registered, *names: str) -> Iterable[Registered]:
        """Yield the resources of a kind that name a function in one of these properties."""
        known = function_names(function)
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


def function_names(function: Registered) -> set[str]:
    """Return the texts that a function is referred to by, as far as they are known."""
    props = function.resource.props
    found: list[Text] = [props.text(name) for name in ("name", "functionName", "arn", "invokeArn")]
    return {text for text in found if isinstance(text, str) and text}
