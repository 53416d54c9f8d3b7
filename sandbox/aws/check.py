"""Checks and normalises what a program gives for a resource: kinds, names, choices, defaults."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from sandbox.aws.schema import Kind, Property, ResourceType
from sandbox.aws.values import UNKNOWN, Path, contains_unknown, spell

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
        if value is UNKNOWN:
            return UNKNOWN
        try:
            normal = _CONVERT[known.kind](self, known, value, at, owner)
        except (TypeError, ValueError):
            self.fail(at, f"expected {_SPOKEN[known.kind]}, got {_spoken_type(value)}")
            return value
        if known.choices and normal not in known.choices:
            listed = ", ".join(str(each) for each in known.choices)
            self.fail(at, f"{normal!r} is not one of {listed}")
        if known.least is not None and normal < known.least:
            self.fail(at, f"{normal} is less than {known.least}")
        if known.most is not None and normal > known.most:
            self.fail(at, f"{normal} is more than {known.most}")
        return normal


def check(
    each: ResourceType, given: Mapping[str, Any], olds: Mapping[str, Any], name: str, seed: bytes
) -> tuple[dict[str, Any], list[Failure]]:
    """Return a resource's inputs, normalised and with defaults, and what is wrong with them.

    A generated name stays what it was (`olds`) until the engine asks without olds, which it does
    for a replacement.
    """
    checked = Checked()
    inputs = checked.fields(each.properties, given, (), each.pulumi_name)
    filled: list[str] = []
    if each.autoname and each.autoname not in inputs:
        inputs[each.autoname] = _autoname(checked, each, inputs, olds, name, seed)
        filled.append(each.autoname)
    for each_property in each.properties.values():
        if each_property.default is not None and each_property.name not in inputs:
            inputs[each_property.name] = each_property.default
            filled.append(each_property.name)
    inputs.pop("namePrefix", None)
    inputs.pop("statementIdPrefix", None)
    if each.requires and not checked.failures:
        for path, reason in each.requires(inputs).items():
            checked.failures.append(Failure(path=path, reason=reason))
    inputs[DEFAULTS] = sorted(filled)
    return inputs, checked.failures


def _autoname(
    checked: Checked,
    each: ResourceType,
    inputs: dict[str, Any],
    olds: Mapping[str, Any],
    name: str,
    seed: bytes,
) -> Any:
    """Return the old generated name, or a new one: the resource's name and seven random digits."""
    key = each.autoname or ""
    if key in olds.get(DEFAULTS, ()) and olds.get(key):
        return olds[key]
    prefix = inputs.get("namePrefix") or inputs.get("statementIdPrefix") or f"{name}-"
    if prefix is UNKNOWN:
        return UNKNOWN
    digits = (seed.hex() if seed else secrets.token_hex(4))[:7]
    suffix = each.autoname_suffix(inputs) if each.autoname_suffix else ""
    generated = f"{prefix}{digits}{suffix}"
    if len(generated) > each.autoname_most:
        checked.fail(
            (key,), f"{generated!r} is longer than {each.autoname_most} characters; set {key}"
        )
    return generated


def _text(_: Checked, known: Property, value: Any, at: Path, owner: str) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            raise TypeError(at, owner, known)


def _document(checked: Checked, known: Property, value: Any, at: Path, owner: str) -> Any:
    if isinstance(value, dict | list):
        return UNKNOWN if contains_unknown(value) else json.dumps(value, separators=(",", ":"))
    spelled = _text(checked, known, value, at, owner)
    if spelled:
        try:
            json.loads(spelled)
        except ValueError as error:
            checked.fail(at, f"not a JSON document: {error}")
    return spelled


def _integer(_: Checked, known: Property, value: Any, at: Path, owner: str) -> int:
    if isinstance(value, bool | float) or not isinstance(value, int | str):
        raise TypeError(at, owner, known)
    return int(value)


def _decimal(_: Checked, known: Property, value: Any, at: Path, owner: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(at, owner, known)
    number = float(value)
    return int(number) if number.is_integer() else number


def _flag(_: Checked, known: Property, value: Any, at: Path, owner: str) -> bool:
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise TypeError(at, owner, known)


def _map(checked: Checked, known: Property, value: Any, at: Path, owner: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(at, owner, known)
    item = Property(name="", kind=Kind.TEXT)
    return {key: checked.value(item, each, (*at, key), owner) for key, each in value.items()}


def _list(checked: Checked, known: Property, value: Any, at: Path, owner: str) -> list[Any]:
    if not isinstance(value, list) or known.item is None:
        raise TypeError(at, owner, known)
    return [
        checked.value(known.item, each, (*at, index), owner) for index, each in enumerate(value)
    ]


def _object(checked: Checked, known: Property, value: Any, at: Path, owner: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(at, owner, known)
    values = checked.fields(known.fields, value, at, f"{owner} {spell(at)}")
    defaults = {
        name: each.default for name, each in known.fields.items() if each.default is not None
    }
    return defaults | values


def _archive(_: Checked, known: Property, value: Any, at: Path, owner: str) -> Any:
    if not isinstance(value, pulumi.Archive | pulumi.Asset):
        raise TypeError(at, owner, known)
    return value


_CONVERT: Final[Mapping[Kind, Callable[[Checked, Property, Any, Path, str], Any]]] = {
    Kind.TEXT: _text,
    Kind.JSON: _document,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.FLAG: _flag,
    Kind.MAP: _map,
    Kind.LIST: _list,
    Kind.SET: _list,
    Kind.OBJECT: _object,
    Kind.ARCHIVE: _archive,
}

_SPOKEN: Final = {
    Kind.TEXT: "a text",
    Kind.JSON: "a JSON document",
    Kind.INTEGER: "a whole number",
    Kind.DECIMAL: "a number",
    Kind.FLAG: "true or false",
    Kind.MAP: "a map of texts",
    Kind.LIST: "a list",
    Kind.SET: "a list",
    Kind.OBJECT: "an object",
    Kind.ARCHIVE: "an archive",
}


def _spoken_type(value: Any) -> str:
    """Name a value's kind without showing it: it may be a secret."""
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return type(value).__name__
