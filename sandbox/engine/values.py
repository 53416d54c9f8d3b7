"""Property values as plain JSON, and what the engine must know of them: unknown, secret, changed.

A value is what the wire and the checkpoint carry: a secret, an asset or a resource reference is a
dict with a signature, an unknown is a sentinel text. Nothing here talks to anybody.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc

SIGNATURE = rpc._special_sig_key
SECRET = rpc._special_secret_sig
ASSET = rpc._special_asset_sig
ARCHIVE = rpc._special_archive_sig
REFERENCE = rpc._special_resource_sig
# Python's SDK sends and understands this one for a value of any type.
UNKNOWN = rpc.UNKNOWN
_MISSING = object()
_JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}

Properties = dict[str, Any]


def from_struct(struct: Struct) -> Properties:
    """Turn a protobuf struct into a dict; whole numbers become `int`, as JSON would print them."""
    return transform(MessageToDict(struct), _whole)


def _whole(value: Any) -> Any:
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return int(value) if whole else value


def to_struct(properties: Mapping[str, Any]) -> Struct:
    """Turn a dict into a protobuf struct."""
    struct = Struct()
    struct.update(properties)
    return struct


def signature(value: Any) -> str | None:
    """Return the signature of a secret, an asset, an archive or a reference."""
    return value.get(SIGNATURE) if isinstance(value, dict) else None


def secret(value: Any) -> Any:
    """Mark a value as secret, once."""
    return value if signature(value) == SECRET else {SIGNATURE: SECRET, "value": value}


def is_unknown(value: Any) -> bool:
    """Say whether the value itself is unknown."""
    return isinstance(value, str) and value == UNKNOWN


def is_of_type(value: Any, name: str) -> bool:
    """Say whether a value is of a type of JSON schema; what has no such type is of any."""
    if isinstance(value, bool):
        return name == "boolean" or name not in _JSON_TYPES
    return isinstance(value, _JSON_TYPES.get(name, object))


def has_secret(value: Any) -> bool:
    """Say whether anything in the value is secret."""
    if isinstance(value, dict):
        return value.get(SIGNATURE) == SECRET or any(map(has_secret, value.values()))
    return isinstance(value, list) and any(map(has_secret, value))


def transform(value: Any, change: Callable[[Any], Any]) -> Any:
    """Rebuild a value from its leaves upwards, with `change` applied to each part."""
    if isinstance(value, dict):
        value = {key: transform(item, change) for key, item in value.items()}
    elif isinstance(value, list):
        value = [transform(item, change) for item in value]
    return change(value)


def reveal(value: Any) -> Any:
    """Take every secret out of its wrapping."""
    return transform(value, lambda v: v["value"] if signature(v) == SECRET else v)


def redact(value: Any) -> Any:
    """Put `[secret]` in the place of every secret."""
    return transform(value, lambda v: "[secret]" if signature(v) == SECRET else v)


def dereference(value: Any) -> Any:
    """Put the id (or, of a component, the URN) in the place of every resource reference."""

    def change(part: Any) -> Any:
        if signature(part) != REFERENCE:
            return part
        return part.get("id") or (UNKNOWN if "id" in part else part["urn"])

    return transform(value, change)


def comparable(value: Any) -> Any:
    """Reduce a value to what decides whether it changed: no secrets' wrapping, assets by hash."""

    def change(part: Any) -> Any:
        kind = signature(part)
        if kind == SECRET:
            return part["value"]
        return {SIGNATURE: kind, "hash": part.get("hash")} if kind in {ASSET, ARCHIVE} else part

    return transform(value, change)


def changed_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the properties that differ; `__defaults` is the bridge's own bookkeeping."""
    keys = sorted(old.keys() | new.keys())
    return tuple(
        key
        for key in keys
        if key != "__defaults"
        and comparable(old.get(key, _MISSING)) != comparable(new.get(key, _MISSING))
    )


def parse_path(path: str) -> tuple[str | int, ...]:
    """Split a property path such as `tags["a.b"].items[0].*` into its keys and indices."""
    found = re.findall(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.\[\]]+)', path)
    if not found:
        raise ValueError(f"{path!r} is not a property path")
    return tuple(
        quoted.replace('\\"', '"') if quoted else int(index) if index.isdigit() else index or name
        for quoted, index, name in found
    )


def contains_path(outer: tuple[str | int, ...], inner: tuple[str | int, ...]) -> bool:
    """Say whether `inner` lies at or below `outer`, in which `*` stands for any one part."""
    return len(outer) <= len(inner) and all(
        a in {"*", b} for a, b in zip(outer, inner, strict=False)
    )


def reset_paths(
    new: Properties, old: Mapping[str, Any], paths: Iterable[str]
) -> tuple[Properties, list[str]]:
    """Give the properties at `paths` the values that they had; return also what could not be."""
    result = transform(new, lambda value: value)
    missed = [path for path in paths if not _reset(result, old, parse_path(path))]
    return result, missed


def _reset(new: Any, old: Any, path: tuple[str | int, ...]) -> bool:
    new = new["value"] if signature(new) == SECRET else new
    old = old["value"] if signature(old) == SECRET else old
    head, rest = path[0], path[1:]
    if head == "*":
        keys = _keys(new) | _keys(old)
        results = [_reset(new, old, (key, *rest)) for key in keys]
        return all(results)
    has_old = head in _keys(old)
    if not rest:
        if has_old and (isinstance(new, dict) or head in _keys(new)):
            new[head] = old[head]
        elif isinstance(new, dict):
            new.pop(head, None)
        return not (isinstance(new, list) and has_old != (head in _keys(new)))
    if head not in _keys(new):
        # Only one side has it: a whole element was added or removed, which stays a change.
        return not has_old
    return has_old and _reset(new[head], old[head], rest)


def _keys(value: Any) -> set[Any]:
    if isinstance(value, dict):
        return set(value)
    return set(range(len(value))) if isinstance(value, list) else set()
