"""Archives as they come over the wire, past a library that knows only part of them.

An engine sends an archive without its contents where it thinks that the hash is enough, and expects
the hash back. `PropertyValue` can neither read the one nor carry the other.
"""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import struct_pb2
from pulumi.runtime.rpc import (
    _special_archive_sig as ARCHIVE,  # noqa: N812
)
from pulumi.runtime.rpc import (
    _special_asset_sig as ASSET,  # noqa: N812
)
from pulumi.runtime.rpc import (
    _special_sig_key as SIGNATURE,  # noqa: N812
)

_CONTENTS: Final = frozenset({"assets", "path", "text", "uri"})

_ANSWERS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "Check": (("news", "inputs"),),
    "Create": (("properties", "properties"),),
    "Update": (("news", "properties"),),
    "Read": (("properties", "properties"), ("inputs", "inputs")),
}
"""Which part of a request comes back in which part of the response."""


class Archives:
    """The archives of one request, kept as they came."""

    def __init__(self, method: str, request: Any) -> None:
        self._answers = _ANSWERS.get(method, ())
        self._kept = {part: _archives(getattr(request, part)) for part, _ in self._answers}

    def put_back(self, response: Any) -> None:
        """Put archives, with hashes and all, where the response echoes them."""
        for part, answer in self._answers:
            fields = getattr(response, answer).fields
            for name, value in self._kept[part].items():
                if name in fields:
                    fields[name].CopyFrom(value)


def complete(request: Any) -> None:
    """Make archives without contents readable: they become empty ones."""
    for field, part in request.ListFields():
        if field.message_type is not None and isinstance(part, struct_pb2.Struct):
            for value in part.fields.values():
                fields = value.struct_value.fields if value.HasField("struct_value") else {}
                if _is_archive(value) and not _CONTENTS & fields.keys():
                    if fields[SIGNATURE].string_value == ARCHIVE:
                        fields["assets"].struct_value.SetInParent()
                    else:
                        fields["text"].string_value = ""


def _archives(part: struct_pb2.Struct) -> dict[str, struct_pb2.Value]:
    kept: dict[str, struct_pb2.Value] = {}
    for name, value in part.fields.items():
        if _is_archive(value):
            kept[name] = struct_pb2.Value()
            kept[name].CopyFrom(value)
    return kept


def _is_archive(value: struct_pb2.Value) -> bool:
    if not value.HasField("struct_value") or SIGNATURE not in value.struct_value.fields:
        return False
    return value.struct_value.fields[SIGNATURE].string_value in (ARCHIVE, ASSET)
