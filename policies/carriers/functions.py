"""Functions of a CloudFormation template, evaluated as far as what is known allows.

`Ref` to a parameter, `Fn::If`, `Fn::Sub`, `Fn::Join`, `Fn::FindInMap` and conditions are worked
out; whatever depends on something else is `UNKNOWN`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from policies.values import UNKNOWN, Unknown, Value, as_list, as_text

_PSEUDO: Final[dict[str, Value]] = {
    "AWS::NoValue": None,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    # Any region and account do: rules read which table or API an ARN names, not where.
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "000000000000",
    "AWS::StackName": "stack",
}
_PLACEHOLDER: Final = re.compile(r"\$\{([^!][^}]*)\}")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a template's functions may refer to."""

    definitions: Mapping[str, Value] = field(default_factory=dict[str, Value])
    """The template's `Parameters`."""
    given: Mapping[str, Value] | None = None
    """Values given to the parameters; `None` where nobody said which will be given."""
    conditions: Mapping[str, Value] = field(default_factory=dict[str, Value])
    mappings: Mapping[str, Value] = field(default_factory=dict[str, Value])
    all_given: bool = True
    """Whether every value given is known (else one that is not listed may still be given)."""

    def parameter(self, name: str, *, strictly: bool) -> Value:
        """Return a parameter's value; strictly: only where no other value can be given."""
        definition = self.definitions.get(name)
        if not isinstance(definition, dict):
            return UNKNOWN
        if str(definition.get("Type")).startswith("AWS::SSM::"):
            return UNKNOWN  # the value is the name of a parameter that is stored elsewhere
        if self.given is not None and name in self.given:
            return self.given[name]
        default = definition.get("Default", UNKNOWN)
        certain = self.given is not None and self.all_given
        if certain or not strictly:
            return default
        allowed = as_list(definition.get("AllowedValues"))
        return allowed[0] if len(allowed) == 1 else UNKNOWN

    def resolve(self, value: Value, *, strictly: bool = False) -> Value:
        """Return a value with its functions worked out."""
        if isinstance(value, list):
            return [self.resolve(element, strictly=strictly) for element in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._call(name, argument, strictly=strictly)
        if any(key.startswith("Fn::") for key in value):
            return UNKNOWN  # a loop or a macro writes its siblings
        return {key: self.resolve(inner, strictly=strictly) for key, inner in value.items()}

    def _call(self, name: str, argument: Value, *, strictly: bool) -> Value:
        if name == "Ref":
            return self._reference(argument, strictly=strictly)
        if name == "Fn::Sub":
            return self._substitute(argument, strictly=strictly)
        if name == "Fn::If":
            return self._choose(argument, strictly=strictly)
        if name == "Fn::Join":
            return self._join(argument, strictly=strictly)
        if name == "Fn::FindInMap":
            return self._find(argument, strictly=strictly)
        return UNKNOWN

    def _reference(self, name: Value, *, strictly: bool) -> Value:
        if not isinstance(name, str):
            return UNKNOWN
        if name in _PSEUDO:
            return _PSEUDO[name]
        return self.parameter(name, strictly=strictly)

    def _substitute(self, argument: Value, *, strictly: bool) -> Value:
        local: dict[str, Value] = {}
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
            local = argument[1]
            argument = argument[0]
        if not isinstance(argument, str):
            return UNKNOWN
        pieces: list[str] = []
        position = 0
        for match in _PLACEHOLDER.finditer(argument):
            name = match[1].strip()
            value = (
                self.resolve(local[name], strictly=strictly)
                if name in local
                else self._reference(name, strictly=strictly)
            )
            text = as_text(value)
            if not isinstance(text, str):
                return UNKNOWN
            pieces += [argument[position : match.start()], text]
            position = match.end()
        return "".join([*pieces, argument[position:]]).replace("${!", "${")

    def _choose(self, argument: Value, *, strictly: bool) -> Value:
        if not (isinstance(argument, list) and len(argument) == 3):
            return UNKNOWN
        decided = self.holds({"Condition": argument[0]})
        if decided is not None:
            return self.resolve(argument[1] if decided else argument[2], strictly=strictly)
        first = self.resolve(argument[1], strictly=strictly)
        second = self.resolve(argument[2], strictly=strictly)
        return first if first == second else UNKNOWN

    def _join(self, argument: Value, *, strictly: bool) -> Value:
        resolved = self.resolve(argument, strictly=strictly)
        if not (isinstance(resolved, list) and len(resolved) == 2):
            return UNKNOWN
        separator, elements = resolved
        if not (isinstance(separator, str) and isinstance(elements, list)):
            return UNKNOWN
        texts = [as_text(element) for element in elements]
        known = [text for text in texts if isinstance(text, str)]
        return separator.join(known) if len(known) == len(texts) else UNKNOWN

    def _find(self, argument: Value, *, strictly: bool) -> Value:
        path = self.resolve(argument, strictly=strictly)
        found: Value = dict(self.mappings)
        if not (isinstance(path, list) and len(path) == 3):
            return UNKNOWN
        for step in path:
            if not (isinstance(found, dict) and isinstance(step, str) and step in found):
                return UNKNOWN
            found = found[step]
        return found

    def holds(self, condition: Value, depth: int = 0) -> bool | None:
        """Say whether a condition is true; `None` where that cannot be said for certain."""
        if depth > 50 or not (isinstance(condition, dict) and len(condition) == 1):
            return None
        ((name, argument),) = condition.items()
        if name == "Condition":
            if not isinstance(argument, str) or argument not in self.conditions:
                return None
            return self.holds(self.conditions[argument], depth + 1)
        if name == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
            sides = [as_text(self.resolve(side, strictly=True)) for side in argument]
            if any(side is None or isinstance(side, Unknown) for side in sides):
                return None
            return sides[0] == sides[1]
        parts = [self.holds(part, depth + 1) for part in as_list(argument)]
        if name == "Fn::Not" and len(parts) == 1 and parts[0] is not None:
            return not parts[0]
        if name == "Fn::And":
            return False if False in parts else None if None in parts else True
        if name == "Fn::Or":
            return True if True in parts else None if None in parts else False
        return None
