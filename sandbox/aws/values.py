"""Property values as plain Python, and back, with what is secret kept by its path.

The experimental provider hands out `PropertyValue` trees. The rest of this package works on dicts,
lists, strings, numbers and assets. Two things do not fit into those: a value that is not known yet
is `UNKNOWN`, and the paths of secrets travel beside the values.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi.provider.experimental.property_value import Computed, PropertyValue, ResourceReference
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_MARK

Path = tuple[str | int, ...]
"""Where a value stands: keys of maps and indices of lists, from the resource down."""

_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Unknown:
    """What stands for a value that only a deployment will tell. There is one: `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


def lower(properties: Mapping[str, PropertyValue]) -> tuple[dict[str, Any], frozenset[Path]]:
    """Turn property values into plain ones, without nulls; also return the paths of the secrets."""
    secrets: set[Path] = set()
    plain = {
        key: _lower(value, (key,), secrets)
        for key, value in properties.items()
        if value.value is not None
    }
    return plain, frozenset(secrets)


def _lower(value: PropertyValue, path: Path, secrets: set[Path]) -> Any:
    if value.is_secret:
        secrets.add(path)
    inner = value.value
    match inner:
        case bool() | None:
            return inner
        case float():
            return int(inner) if inner.is_integer() else inner
        case str():
            return UNKNOWN if inner == UNKNOWN_MARK else inner
        case Computed():
            return UNKNOWN
        case ResourceReference():
            return inner.urn if inner.resource_id is None else inner.resource_id.value
        case pulumi.Asset() | pulumi.Archive():
            return inner
        case Mapping():
            return {
                key: _lower(item, (*path, key), secrets)
                for key, item in inner.items()
                if item.value is not None
            }
        case Sequence():
            return [_lower(item, (*path, index), secrets) for index, item in enumerate(inner)]
        case _:
            raise TypeError(f"{spell(path)}: a {type(inner).__name__} is not a property value")


def lift(
    plain: Mapping[str, Any], secrets: frozenset[Path] = frozenset()
) -> dict[str, PropertyValue]:
    """Turn plain values into property values, and mark what stands at the secrets' paths."""
    return {key: _lift(value, (key,), secrets) for key, value in plain.items()}


def _lift(value: Any, path: Path, secrets: frozenset[Path]) -> PropertyValue:
    secret = path in secrets
    match value:
        case Unknown():
            return PropertyValue(UNKNOWN_MARK, is_secret=secret)
        case bool() | None | str() | pulumi.Asset() | pulumi.Archive():
            return PropertyValue(value, is_secret=secret)
        case int() | float():
            return PropertyValue(float(value), is_secret=secret)
        case Mapping():
            fields = {key: _lift(item, (*path, key), secrets) for key, item in value.items()}
            return PropertyValue(fields, is_secret=secret)
        case list() | tuple():
            items = [_lift(item, (*path, index), secrets) for index, item in enumerate(value)]
            return PropertyValue(items, is_secret=secret)
        case _:
            raise TypeError(f"{spell(path)}: a {type(value).__name__} is not a property value")


def contains_unknown(value: Any) -> bool:
    """Whether a value, or anything within it, is not known yet."""
    match value:
        case Unknown():
            return True
        case dict():
            return any(contains_unknown(item) for item in value.values())
        case list():
            return any(contains_unknown(item) for item in value)
        case _:
            return False


def spell(path: Path) -> str:
    """Write a path as Pulumi does: `a.b[0]["a key with spaces"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            quoted = part.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{quoted}"]'
    return text
