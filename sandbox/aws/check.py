"""Checks and normalises what a program gives for a resource: kinds, names, choices, defaults."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.aws.schema import ITEM, Kind, Property, ResourceType
from sandbox.aws.values import SIGNATURE, UNKNOWN, Path, contains_unknown, spell

DEFAULTS: Final = "__defaults"
"""The input that lists which others were filled in, as in the states of the official provider."""

IGNORED: Final = frozenset({DEFAULTS, "__internal"})
"""Inputs that engines and this provider add, and no program gives."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What is wrong with one property."""

    path: str
    reason: str


class Checked:
    """Collects normalised inputs and failures while a resource's inputs are walked."""

    def __init__(self) -> None:
        self.failures: list[Failure] = []

    def fail(self, path: Path, reason: str) -> None:
        """Note a failure; the walk goes on, so that all of them are told at once."""
        self.failures.append(Failure(path=spell(path), reason=reason))

    def fields(
        self, known: Mapping[str, Property], given: Mapping[str, Any], at: Path, owner: str
    ) -> dict[str, Any]:
        """Normalise an object's fields against its table."""
        values: dict[str, Any] = {}
        for name, value in given.items():
            if name in IGNORED:
                continue
            found = known.get(name)
            if found is None:
                self.fail((*at, name), f"the sandbox's {owner} has no property {name}")
            elif found.output:
                self.fail((*at, name), f"{name} is an output of {owner}: a program cannot set it")
            else:
                values[name] = self.value(found, value, (*at, name), owner)
        for name, each in known.items():
            if each.required and name not in values:
                self.fail((*at, name), f"{owner} needs {name}")
        return values

    def value(self, known: Property, value: Any, at: Path, owner: str) -> Any:
        """Normalise one value, and note why when that cannot be done."""
        if value == UNKNOWN:
            return UNKNOWN
        try:
            normal = self._normal(known, value, at, owner)
        except (TypeError, ValueError):
            # Without the value: it may be a secret.
            self.fail(at, f"expected {known.kind.value}, got {_spoken_type(value)}")
            return value
        if known.choices and normal not in known.choices:
            listed = ", ".join(str(each) for each in known.choices)
            self.fail(at, f"{normal!r} is not one of {listed}")
        if known.within:
            least, most = known.within
            if normal < least:
                self.fail(at, f"{normal} is less than {least}")
            if most is not None and normal > most:
                self.fail(at, f"{normal} is more than {most}")
        return normal

    def _normal(self, known: Property, value: Any, at: Path, owner: str) -> Any:
        """Return a value as its kind spells it, or raise when it is of another kind."""
        match known.kind, value:
            case Kind.JSON, dict() | list():
                unknown = contains_unknown(value)
                return UNKNOWN if unknown else json.dumps(value, separators=(",", ":"))
            case Kind.JSON, str():
                self._document(value, at)
                return value
            case Kind.TEXT, str():
                return value
            case Kind.TEXT, bool():
                return "true" if value else "false"
            case ((Kind.INTEGER | Kind.DECIMAL), bool()):
                pass
            case Kind.TEXT, int() | float():
                return str(value)
            case Kind.INTEGER, int() | str():
                return int(value)
            case Kind.DECIMAL, int() | float() | str():
                number = float(value)
                return int(number) if number.is_integer() else number
            case Kind.FLAG, (True | "true"):
                return True
            case Kind.FLAG, (False | "false"):
                return False
            case Kind.MAP, dict():
                return {key: self.value(ITEM, it, (*at, key), owner) for key, it in value.items()}
            case ((Kind.LIST | Kind.SET), list()) if known.item:
                item = known.item
                return [self.value(item, it, (*at, n), owner) for n, it in enumerate(value)]
            case Kind.OBJECT, dict():
                values = self.fields(known.fields, value, at, f"{owner} {spell(at)}")
                return _defaults(known.fields) | values
            case Kind.ARCHIVE, dict() if SIGNATURE in value:
                return value
            case _:
                pass
        raise TypeError(known.kind)

    def _document(self, value: str, at: Path) -> None:
        try:
            json.loads(value or "null")
        except ValueError as error:
            self.fail(at, f"not a JSON document: {error}")


def check(
    each: ResourceType, given: Mapping[str, Any], olds: Mapping[str, Any], name: str, seed: bytes
) -> tuple[dict[str, Any], list[Failure]]:
    """Return a resource's inputs, normalised and with defaults, and what is wrong with them.

    A generated name stays what it was (`olds`) until the engine asks without olds, which it does
    for a replacement.
    """
    checked = Checked()
    inputs = checked.fields(each.properties, given, (), each.token)
    filled = {key: value for key, value in _defaults(each.properties).items() if key not in inputs}
    named = each.autoname
    if named and named.name not in inputs:
        filled[named.name] = _autoname(checked, each, named, inputs, olds, name, seed)
    if named:
        inputs.pop(f"{named.name}Prefix", None)
    inputs |= filled
    if not checked.failures:
        checked.failures += [Failure(path=at, reason=why) for at, why in each.needs(inputs).items()]
    inputs[DEFAULTS] = sorted(filled)
    return inputs, checked.failures


def _defaults(known: Mapping[str, Property]) -> dict[str, Any]:
    return {name: each.default for name, each in known.items() if each.default is not None}


def _autoname(
    checked: Checked,
    each: ResourceType,
    named: Property,
    inputs: Mapping[str, Any],
    olds: Mapping[str, Any],
    name: str,
    seed: bytes,
) -> Any:
    """Return the old generated name, or a new one: the resource's name and seven random digits."""
    if named.name in olds.get(DEFAULTS, ()) and olds.get(named.name):
        return olds[named.name]
    prefix = inputs.get(f"{named.name}Prefix") or f"{name}-"
    if prefix == UNKNOWN:
        return UNKNOWN
    digits = (seed.hex() if seed else secrets.token_hex(4))[:7]
    generated = f"{prefix}{digits}{each.suffix(inputs)}"
    if len(generated) > named.autoname:
        reason = f"{generated!r} is longer than {named.autoname} characters; set {named.name}"
        checked.fail((named.name,), reason)
    return generated


def _spoken_type(value: Any) -> str:
    """Name a value's kind without showing it."""
    kinds = {
        bool: Kind.FLAG,
        int: Kind.DECIMAL,
        float: Kind.DECIMAL,
        str: Kind.TEXT,
        list: Kind.LIST,
    }
    kind = kinds.get(type(value)) or (Kind.OBJECT if isinstance(value, dict) else None)
    return kind.value if kind else type(value).__name__
