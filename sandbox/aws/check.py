"""Checks and normalises what a program gives for a resource: kinds, names, choices, defaults."""

import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.schema import ITEM, Kind, Property, ResourceType
from sandbox.aws.values import ARCHIVE, SIGNATURE, UNKNOWN, Path, contains_unknown, spell

DEFAULTS: Final = "__defaults"
"""The input that lists which others were filled in, as in the states of the official provider."""

IGNORED: Final = frozenset({DEFAULTS, "__internal"})
"""Inputs that engines and this provider add, and no program gives."""


class Checked:
    """Collects what is wrong while a resource's inputs are walked, so that all of it is told."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.failures: dict[str, str] = {}

    def fail(self, path: Path, reason: str) -> None:
        """Note what is wrong with a property."""
        self.failures[spell(path)] = reason

    def fields(
        self, known: Mapping[str, Property], given: Mapping[str, Any], at: Path
    ) -> dict[str, Any]:
        """Normalise an object's fields against its table."""
        owner = f"{self._token} {spell(at)}".rstrip()
        values: dict[str, Any] = {}
        for name in (each for each in given if each not in IGNORED):
            found = known.get(name)
            if found is None:
                self.fail((*at, name), f"the sandbox's {owner} has no property {name}")
            elif found.output:
                self.fail((*at, name), f"{name} is an output of {owner}: a program cannot set it")
            else:
                values[name] = self.value(found, given[name], (*at, name))
        for name, each in known.items():
            if (each.required or each.needed) and name not in values:
                self.fail((*at, name), f"{owner} needs {name}")
        return values

    def value(self, known: Property, value: Any, at: Path) -> Any:
        """Normalise one value, and note why when that cannot be done."""
        if value == UNKNOWN:
            return UNKNOWN
        try:
            normal = self._normal(known, value, at)
        except (TypeError, ValueError):
            # Without the value: it may be a secret.
            self.fail(at, f"expected {known.kind.spoken}, got {_spoken_type(value)}")
            return value
        if known.choices and normal not in known.choices:
            self.fail(at, f"{normal!r} is not one of {', '.join(map(str, known.choices))}")
        if known.within and not known.within[0] <= normal <= known.within[1]:
            self.fail(at, "{} is not between {} and {}".format(normal, *known.within))
        return normal

    def _normal(self, known: Property, value: Any, at: Path) -> Any:
        """Return a value as its kind spells it, or raise when it is of another kind."""
        match known.kind, value:
            case Kind.JSON, dict() | list():
                unknown = contains_unknown(value)
                return UNKNOWN if unknown else json.dumps(value, separators=(",", ":"))
            case Kind.JSON, str():
                try:
                    json.loads(value or "null")
                except ValueError as error:
                    self.fail(at, f"not a JSON document: {error}")
                return value
            case Kind.TEXT, str():
                return value
            case Kind.TEXT, bool() | int() | float():
                return str(value).lower()
            case Kind.FLAG, (True | False | "true" | "false"):
                return value in (True, "true")
            case Kind.INTEGER, int() | str() if not isinstance(value, bool):
                return int(value)
            case Kind.DECIMAL, int() | float() | str() if not isinstance(value, bool):
                return float(value)
            case Kind.MAP, dict():
                return {key: self.value(ITEM, it, (*at, key)) for key, it in value.items()}
            case ((Kind.LIST | Kind.SET), list()) if known.item:
                item = known.item
                return [self.value(item, it, (*at, n)) for n, it in enumerate(value)]
            case Kind.OBJECT, dict():
                return _defaults(known.fields) | self.fields(known.fields, value, at)
            case Kind.ARCHIVE, dict() if value.get(SIGNATURE) == ARCHIVE:
                return value
            case _:
                raise TypeError(known.kind)


def check(
    each: ResourceType, given: Mapping[str, Any], olds: Mapping[str, Any], name: str, seed: bytes
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a resource's inputs, normalised and with defaults, and what is wrong by its path.

    A generated name stays what it was (`olds`) until the engine asks without olds, which it does
    for a replacement.
    """
    checked = Checked(each.token)
    inputs = checked.fields(each.properties, given, ())
    defaults = {key: it for key, it in _defaults(each.properties).items() if key not in inputs}
    if (named := each.autoname) and named.name not in inputs:
        kept = olds.get(named.name) if named.name in olds.get(DEFAULTS, ()) else None
        digits = (seed.hex() if seed else secrets.token_hex(4))[:7]
        fresh = kept or f"{name}-{digits}"
        defaults[named.name] = fresh
        if len(fresh) > named.autoname:
            reason = f"{fresh!r} is longer than {named.autoname} characters; set {named.name}"
            checked.fail((named.name,), reason)
    inputs |= defaults
    if each.either and not any(map(inputs.get, each.either)):
        checked.fail((each.either[0],), f"{each.token} needs {' or '.join(each.either)}")
    return {**inputs, DEFAULTS: sorted(defaults)}, checked.failures


def _defaults(known: Mapping[str, Property]) -> dict[str, Any]:
    return {name: each.default for name, each in known.items() if each.default is not None}


def _spoken_type(value: Any) -> str:
    """Name a value's kind without showing it."""
    kinds = {bool: Kind.FLAG, int: Kind.DECIMAL, float: Kind.DECIMAL, str: Kind.TEXT}
    return (kinds | {list: Kind.LIST}).get(type(value), Kind.OBJECT).spoken
