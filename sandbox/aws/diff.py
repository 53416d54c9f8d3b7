"""Decides which properties changed between a resource's state and its new inputs. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from pulumi.provider.experimental.provider import PropertyDiff, PropertyDiffKind

from sandbox.aws.schema import Kind, Property, ResourceType
from sandbox.aws.values import UNKNOWN, Path, spell

_REPLACING: Final = {
    PropertyDiffKind.ADD: PropertyDiffKind.ADD_REPLACE,
    PropertyDiffKind.DELETE: PropertyDiffKind.DELETE_REPLACE,
    PropertyDiffKind.UPDATE: PropertyDiffKind.UPDATE_REPLACE,
}

Changes = dict[Path, PropertyDiffKind]


def changes(each: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    """Return what differs, by path: `old` is a state's outputs, `new` are checked inputs.

    Archives are left to the caller, who can hash them.
    """
    found: Changes = {}
    for known in each.properties.values():
        if known.output or known.kind is Kind.ARCHIVE:
            continue
        _compare(known, old.get(known.name), new.get(known.name), (known.name,), found)
    return found


def detailed(each: ResourceType, found: Changes) -> dict[str, PropertyDiff]:
    """Spell changes as Pulumi's detailed diff, with the replacements that they force."""
    return {
        spell(path): PropertyDiff(
            kind=_REPLACING[kind] if each.properties[str(path[0])].replaces else kind,
            input_diff=False,
        )
        for path, kind in found.items()
    }


def same(known: Property, old: Any, new: Any) -> bool:
    """Whether two values of a property mean the same."""
    found: Changes = {}
    _compare(known, old, new, (), found)
    return not found


def _compare(known: Property, old: Any, new: Any, at: Path, found: Changes) -> None:
    if new is UNKNOWN:
        found[at] = PropertyDiffKind.UPDATE if old else PropertyDiffKind.ADD
    elif not old and not new:
        # The cloud tells absent, empty, zero and false apart no better than a program does.
        return
    elif new is None:
        if not known.computed:
            found[at] = PropertyDiffKind.DELETE
    elif old is None:
        found[at] = PropertyDiffKind.ADD
    elif not (known.same and known.same(old, new)):
        _compare_present(known, old, new, at, found)


def _compare_present(known: Property, old: Any, new: Any, at: Path, found: Changes) -> None:
    match known.kind:
        case Kind.MAP if isinstance(old, dict):
            for key in sorted(old.keys() | new.keys()):
                # An empty text is a value of a map, not an absence.
                if key not in new:
                    found[(*at, key)] = PropertyDiffKind.DELETE
                elif key not in old:
                    found[(*at, key)] = PropertyDiffKind.ADD
                elif old[key] != new[key]:
                    found[(*at, key)] = PropertyDiffKind.UPDATE
        case Kind.OBJECT if isinstance(old, dict):
            for name, each in known.fields.items():
                _compare(each, old.get(name), new.get(name), (*at, name), found)
        case Kind.LIST if isinstance(old, list) and known.item:
            for index in range(max(len(old), len(new))):
                was = old[index] if index < len(old) else None
                now = new[index] if index < len(new) else None
                _compare(known.item, was, now, (*at, index), found)
        case Kind.SET if isinstance(old, list) and known.item:
            _compare_sets(known.item, old, new, at, found)
        case Kind.JSON:
            if _parsed(old) != _parsed(new):
                found[at] = PropertyDiffKind.UPDATE
        case _:
            if old != new:
                found[at] = PropertyDiffKind.UPDATE


def _compare_sets(item: Property, old: list[Any], new: list[Any], at: Path, found: Changes) -> None:
    """Pair what is equal in any order; the rest was added, deleted or, at one index, both."""
    left = dict(enumerate(old))
    for index, value in enumerate(new):
        twin = next((key for key, was in left.items() if same(item, was, value)), None)
        if twin is None:
            found[(*at, index)] = PropertyDiffKind.ADD
        else:
            del left[twin]
    for index in left:
        path = (*at, index)
        found[path] = PropertyDiffKind.UPDATE if path in found else PropertyDiffKind.DELETE


def _parsed(value: Any) -> Any:
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value
