"""What a policy pack is configured with: defaults, its own configuration, the caller's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pulumi.runtime.proto import analyzer_pb2

from sandbox.engine import values
from sandbox.engine.project import mapping, read
from sandbox.stack import EngineError

LEVELS: Final = ("advisory", "mandatory", "disabled", "remediate")
"""Enforcement levels; their place is their number in the protocol."""


def reconcile(
    info: analyzer_pb2.AnalyzerInfo, file: Path | None, folder: Path
) -> dict[str, analyzer_pb2.PolicyConfig]:
    """Merge defaults, the pack's initial configuration and the caller's file, in that order."""
    initial = {
        name: {**values.from_struct(entry.properties), "enforcementLevel": entry.enforcementLevel}
        for name, entry in info.initialConfig.items()
    }
    given = _read(file) if file else {}
    result: dict[str, analyzer_pb2.PolicyConfig] = {}
    for policy in info.policies:
        schema = values.from_struct(policy.configSchema.properties)
        merged: dict[str, Any] = {"enforcementLevel": policy.enforcementLevel}
        merged.update({key: e["default"] for key, e in schema.items() if "default" in e})
        for source in (initial, given):
            # `all` carries a level only.
            everywhere = source.get("all", {})
            merged.update({k: v for k, v in everywhere.items() if k == "enforcementLevel"})
            merged.update(source.get(policy.name, {}))
        level: Any = merged.pop("enforcementLevel")
        if isinstance(level, str):
            if level not in LEVELS:
                raise EngineError(f"{policy.name}: {level!r} is not an enforcement level")
            level = LEVELS.index(level)
        for key in policy.configSchema.required:
            if key not in merged:
                raise EngineError(
                    f"policy {policy.name} of {folder} needs the configuration {key!r}"
                )
        for key, value in merged.items():
            _verify(f"policy {policy.name}: {key!r}", schema.get(key, {}), value)
        result[policy.name] = analyzer_pb2.PolicyConfig(
            enforcementLevel=level, properties=values.to_struct(merged)
        )
    return result


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """Read a `--policy-pack-config` file: a level or an object per policy, `all` for every one."""
    content = read(path, json.loads)
    content.pop("environments", None)
    return {
        name: mapping({"enforcementLevel": entry} if isinstance(entry, str) else entry, repr(name))
        for name, entry in content.items()
    }


def _verify(what: str, entry: Mapping[str, Any], value: Any) -> None:
    wanted = entry.get("type", [])
    types: list[str] = [wanted] if isinstance(wanted, str) else wanted
    if types and not any(values.is_of_type(value, one) for one in types):
        raise EngineError(f"{what} must be of type {' or '.join(types)}, is {value!r}")
    if "enum" in entry and value not in entry["enum"]:
        raise EngineError(f"{what} must be one of {entry['enum']}, is {value!r}")
