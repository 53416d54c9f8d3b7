"""Decides which properties changed between a resource's state and its new inputs. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from pulumi.runtime.proto.provider_pb2 import PropertyDiff

from sandbox.aws.schema import Kind, Property, ResourceType
from sandbox.aws.values import UNKNOWN, Path

ADD: Final = PropertyDiff.ADD
DELETE: Final = PropertyDiff.DELETE
UPDATE: Final = PropertyDiff.UPDATE

Changes = dict[Path, Any]
"""Kinds of changes by path."""


def changes(each: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    """Return what differs, by path: `old` is a state's outputs, `new` are checked inputs.

    Archives are left to the caller, who can hash them.
    """
    found: Changes = {}
    for known in each.properties.values():
        if not known.output and known.kind is not Kind.ARCHIVE:
            _compare(known, old.get(known.name), new.get(known.name), (known.name,), found)
    return found


def same(known: Property, old: Any, new: Any) -> bool:
    """Whether two values of a property mean the same."""
    found: Changes = {}
    _compare(known, old, new, (), found)
    return not found


def _compare(known: Property, old: Any, new: Any, at: Path, found: Changes) -> None:
    if new == UNKNOWN:
        found[at] = UPDATE if old else ADD
    elif not old and not new:
        # The cloud tells absent, empty, zero and false apart no better than a program does.
        return
    elif new is None:
        if not known.computed:
            found[at] = DELETE
    elif old is None:
        found[at] = ADD
    elif not (known.same and known.same(old, new)):
        _compare_present(known, old, new, at, found)


def _compare_present(known: Property, old: Any, new: Any, at: Path, found: Changes) -> None:
    match known.kind, old:
        case Kind.MAP, dict():
            for key in sorted(old.keys() | new.keys()):
                # An empty text is a value of a map, not an absence.
                if key not in new:
                    found[(*at, key)] = DELETE
                elif key not in old:
                    found[(*at, key)] = ADD
                elif old[key] != new[key]:
                    found[(*at, key)] = UPDATE
        case Kind.OBJECT, dict():
            for name, each in known.fields.items():
                _compare(each, old.get(name), new.get(name), (*at, name), found)
        case Kind.LIST, list() if known.item:
            for index in range(max(len(old), len(new))):
                was, now = (each[index] if index < len(each) else None for each in (old, new))
                _compare(known.item, was, now, (*at, index), found)
        case Kind.SET, list() if known.item:
            _compare_sets(known.item, old, new, at, found)
        case _:
            if old != new and not (known.kind is Kind.JSON and _parsed(old) == _parsed(new)):
                found[at] = UPDATE


def _compare_sets(item: Property, old: list[Any], new: list[Any], at: Path, found: Changes) -> None:
    """Pair what is equal in any order; the rest was added, deleted or, at one index, both."""
    left = dict(enumerate(old))
    for index, value in enumerate(new):
        twin = next((key for key, was in left.items() if same(item, was, value)), None)
        if twin is None:
            found[(*at, index)] = ADD
        else:
            del left[twin]
    for index in left:
        path = (*at, index)
        found[path] = UPDATE if path in found else DELETE


def _parsed(value: Any) -> Any:
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value
