"""Property values of the protocol as plain Python, and back, with secrets kept by their path.

A value that is not known yet is `UNKNOWN`; an archive or asset stays the object that came over the
wire, with the hash that the engine put into it.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc

Path = tuple[str | int, ...]
"""Where a value stands: keys of maps and indices of lists, from the resource down."""

UNKNOWN: Final = rpc.UNKNOWN
"""What stands for a value that only a deployment will tell."""

SIGNATURE: Final = rpc._special_sig_key
ARCHIVE: Final = rpc._special_archive_sig
ASSET: Final = rpc._special_asset_sig
_SECRET: Final = rpc._special_secret_sig
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def lower(properties: Struct) -> tuple[dict[str, Any], frozenset[Path]]:
    """Turn property values into plain ones, without nulls; also return the paths of the secrets."""
    secrets: set[Path] = set()
    return _lower(MessageToDict(properties), (), secrets), frozenset(secrets)


def _lower(value: Any, path: Path, secrets: set[Path]) -> Any:
    match value:
        case {"value": inner, **sealed} if sealed == {SIGNATURE: _SECRET}:
            secrets.add(path)
            return _lower(inner, path, secrets)
        case dict():
            given = [(key, each) for key, each in value.items() if each is not None]
            return {key: _lower(each, (*path, key), secrets) for key, each in given}
        case list():
            return [_lower(each, (*path, index), secrets) for index, each in enumerate(value)]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def lift(plain: Mapping[str, Any], secrets: frozenset[Path] = frozenset()) -> Struct:
    """Turn plain values into property values, and mark what stands at the secrets' paths.

    A text in the place of an object that held a secret, as a document is one, is a secret.
    """
    properties = Struct()
    properties.update(_lift(plain, (), secrets))
    return properties


def _lift(value: Any, path: Path, secrets: frozenset[Path]) -> Any:
    match value:
        case Mapping():
            value = {key: _lift(each, (*path, key), secrets) for key, each in value.items()}
        case list():
            value = [_lift(each, (*path, index), secrets) for index, each in enumerate(value)]
        case _ if any(secret[: len(path)] == path for secret in secrets):
            secrets = frozenset({path})
        case _:
            pass
    return {SIGNATURE: _SECRET, "value": value} if path in secrets else value


def contains_unknown(value: Any) -> bool:
    """Whether a value, or anything within it, is not known yet."""
    return UNKNOWN in json.dumps(value)


def spell(path: Path) -> str:
    """Write a path as Pulumi does: `a.b[0]["a key with spaces"]`."""
    text = ""
    for part in path:
        if isinstance(part, str) and _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part)}]"
    return text
