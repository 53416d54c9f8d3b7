"""Decides which properties changed between a resource's state and its new inputs. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.aws.schema import Kind, Property, ResourceType
from sandbox.aws.values import UNKNOWN


def changes(each: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    """Return what differs: `old` is a state's outputs, `new` are checked inputs.

    Archives are left to the caller, who can hash them.
    """
    return {
        name
        for name, known in each.properties.items()
        if not known.output
        and known.kind is not Kind.ARCHIVE
        and not same(known, old.get(name), new.get(name))
    }


def same(known: Property, old: Any, new: Any) -> bool:
    """Whether two values of a property mean the same."""
    if new == UNKNOWN:
        return False
    if not old and not new:
        # The cloud tells absent, empty, zero and false apart no better than a program does.
        return True
    if old is None or new is None:
        return new is None and known.computed
    match known.kind, old, new:
        case Kind.OBJECT, dict(), dict():
            return all(same(it, old.get(name), new.get(name)) for name, it in known.fields.items())
        case Kind.LIST, list(), list() if known.item and len(old) == len(new):
            return all(same(known.item, was, now) for was, now in zip(old, new, strict=True))
        case Kind.SET, list(), list() if known.item and len(old) == len(new):
            return all(any(same(known.item, was, now) for was in old) for now in new) and all(
                any(same(known.item, was, now) for now in new) for was in old
            )
        case Kind.JSON, str(), str():
            return _parsed(old) == _parsed(new)
        case _:
            return old == new or bool(known.same and known.same(old, new))


def _parsed(document: str) -> Any:
    try:
        return json.loads(document)
    except ValueError:
        return document
