"""Values between Pulumi's properties and the shapes that the APIs' own models ask for. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.schema import Kind, Property

_PAIRS: Final = (("Key", "Value"), ("Name", "Value"), ("KeyType", "AttributeName"))
"""How services spell a map as a list of objects: the fields of its keys and of its values."""


def fitted(shape: Any, value: Any) -> Any:
    """Return a value in a shape of botocore's model, without the fields that the shape lacks.

    A map becomes pairs, one thing a list of one, and a number or a truth a text, where asked for.
    """
    match shape.type_name, value:
        case "structure", Mapping():
            members = shape.members
            return {
                name: fitted(members[name], each) for name, each in value.items() if name in members
            }
        case "list", Mapping() if pair := _pair(set(getattr(shape.member, "members", ()))):
            return [{pair[0]: key, pair[1]: each} for key, each in value.items()]
        case "list", list() | tuple():
            return [fitted(shape.member, each) for each in value]
        case "list", _:
            return [fitted(shape.member, value)]
        case "map", Mapping():
            return {key: fitted(shape.value, each) for key, each in value.items()}
        case "string", bool():
            return str(value).lower()
        case "string", int() | float():
            return str(value)
        case _:
            return value


def _pair(names: set[str]) -> tuple[str, str] | None:
    return next((pair for pair in _PAIRS if set(pair) == names), None)


def unpaired(value: Any) -> Any:
    """Return a list of pairs as the map that it spells, and anything else as it is."""
    first = value[0] if isinstance(value, list) and value else None
    pair = _pair(set(first)) if isinstance(first, dict) else None
    return {each[pair[0]]: each[pair[1]] for each in value} if pair else value


def dig(value: Any, path: str) -> Any:
    """Return what stands at a path within an answer, or None."""
    for step in path.split(".") if path else ():
        value = unpaired(value)
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def bury(target: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a path, into the objects on the way."""
    *way, last = path.split(".")
    for step in way:
        target = target.setdefault(step, {})
    target[last] = value


def to_aws(known: Property, value: Any) -> Any:
    """Turn a property's value into the API's."""
    if known.kind is Kind.OBJECT:
        spelled: dict[str, Any] = {}
        for name, each in known.fields.items():
            if each.aws and value.get(name) is not None:
                bury(spelled, each.aws, to_aws(each, value[name]))
        return spelled
    if known.item:
        return [to_aws(known.item, each) for each in value]
    return value


def from_aws(known: Property, value: Any) -> Any:
    """Turn the API's value into a property's; None when there is nothing in it."""
    match known.kind:
        case _ if value is None:
            return None
        case Kind.OBJECT if isinstance(value, Mapping):
            fields = {
                name: from_aws(each, dig(value, each.told or "?"))
                for name, each in known.fields.items()
            }
            kept = {name: each for name, each in fields.items() if each is not None}
            return kept if any(kept.values()) else None
        case Kind.LIST | Kind.SET if known.item:
            return [from_aws(known.item, each) or {} for each in value] or None
        case Kind.MAP:
            return unpaired(value) or None
        case Kind.INTEGER:
            return int(value)
        case Kind.DECIMAL:
            return int(value) if float(value).is_integer() else float(value)
        case Kind.FLAG:
            return str(value).lower() in ("true", "enabled", "enabling")
        case Kind.JSON if not isinstance(value, str):
            return json.dumps(value)
        case _:
            return value.isoformat() if hasattr(value, "isoformat") else str(value)
