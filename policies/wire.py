"""Reading properties as Pulumi writes them: unknowns, secrets, assets, outputs, references."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from policies.values import UNKNOWN, Asset, Value

if TYPE_CHECKING:
    from google.protobuf.struct_pb2 import Struct
    from google.protobuf.struct_pb2 import Value as WireValue

# Constants of the engine's wire format:
# https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties.go
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a type tag, not a secret
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"

UNKNOWN_SENTINELS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # string
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)

MAX_DEPTH: Final = 100
"""Levels of nesting that are read; what lies deeper is unknown."""


def from_struct(struct: "Struct") -> dict[str, Value]:
    """Read the properties of a request of the analyzer protocol."""
    return {key: _from_wire(value, 0) for key, value in struct.fields.items()}


def _from_wire(value: "WireValue", depth: int) -> Value:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if len(text) == 36 and text in UNKNOWN_SENTINELS else text
    if kind == "struct_value":
        if depth > MAX_DEPTH:
            return UNKNOWN
        fields = value.struct_value.fields
        read = {key: _from_wire(field, depth + 1) for key, field in fields.items()}
        return _typed(read) if SIGNATURE in read else read
    if kind == "list_value":
        if depth > MAX_DEPTH:
            return UNKNOWN
        return [_from_wire(element, depth + 1) for element in value.list_value.values]
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        return value.number_value
    return None


def from_json(value: Any, depth: int = 0) -> Value:
    """Read properties of an exported state or of another JSON document."""
    if isinstance(value, str):
        return UNKNOWN if len(value) == 36 and value in UNKNOWN_SENTINELS else value
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if depth > MAX_DEPTH:
        return UNKNOWN
    if isinstance(value, dict):
        fields = cast("dict[Any, Any]", value)
        read = {str(key): from_json(field, depth + 1) for key, field in fields.items()}
        return _typed(read) if SIGNATURE in read else read
    if isinstance(value, (list, tuple)):
        elements = cast("Sequence[Any]", value)
        return [from_json(element, depth + 1) for element in elements]
    return UNKNOWN


def from_sdk(props: Any) -> dict[str, Value]:
    """Read the properties that the SDK hands to a policy, past the proxies that guard unknowns."""
    read = _from_proxy(props, 0)
    return read if isinstance(read, dict) else {}


def _from_proxy(value: Any, depth: int) -> Value:
    if depth > MAX_DEPTH:
        return UNKNOWN
    if isinstance(value, Mapping | Sequence) and not isinstance(value, str | dict | list):
        # A proxy raises on every unknown that is read through it; what it guards does not.
        value = cast("Any", value)["__target"]
    if isinstance(value, dict):
        fields = cast("dict[Any, Any]", value)
        return {str(key): _from_proxy(field, depth + 1) for key, field in fields.items()}
    if isinstance(value, list):
        elements = cast("list[Any]", value)
        return [_from_proxy(element, depth + 1) for element in elements]
    if type(value).__module__ == "pulumi.asset":
        return Asset(type(value).__name__)
    return from_json(value)


def _typed(read: dict[str, Value]) -> Value:
    """Resolve a mapping that carries a type tag; an unknown tag cannot be read."""
    tag = read[SIGNATURE]
    if tag == SECRET:
        if "plaintext" in read:
            return _plaintext(read["plaintext"])
        return read.get("value", UNKNOWN)
    if tag == OUTPUT:
        return read.get("value", UNKNOWN)
    if tag == REFERENCE:
        return read.get("id", UNKNOWN)
    if "path" in read or "text" in read or "uri" in read or "assets" in read:
        return Asset(str(read.get("path") or read.get("uri") or "in place"))
    return UNKNOWN


def _plaintext(text: Value) -> Value:
    """Return the value of a secret of a state that was exported with `--show-secrets`."""
    import json

    if not isinstance(text, str):
        return UNKNOWN
    try:
        return from_json(json.loads(text))
    except ValueError:
        return UNKNOWN
