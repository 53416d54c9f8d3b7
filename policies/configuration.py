"""Configuration of the pack, checked to the last key: a mistyped one is an error, never ignored.

The CLI validates values against each policy's schema, and lets keys and policies pass that it does
not know.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from policies.exemptions import Exemptions
from policies.patterns import Pattern
from policies.rule import Enforcement, Rule
from policies.rules.pack_order import NAME as PACK
from policies.settings import Settings
from policies.shared_platform import DEFAULT_STAGES, SharedPlatform, Stage

_EVERY_POLICY: Final = "all"
_JSON_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "boolean": bool,
    "array": list,
    "object": dict,
}


class ConfigurationError(Exception):
    """What is wrong with the configuration, all of it at once."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("the pack's configuration is wrong:\n  " + "\n  ".join(self.problems))


@dataclass(frozen=True, kw_only=True)
class Configured:
    """The rules that are switched on, their levels, and what they run with."""

    rules: tuple[Rule, ...]
    levels: Mapping[str, Enforcement]
    settings: Settings


def configure(
    rules: tuple[Rule, ...],
    options: Mapping[str, Mapping[str, Any]],
    levels: Mapping[str, Enforcement],
    *,
    exemptions: Exemptions,
    stage: str = "",
    api_id: str | None = None,
) -> Configured:
    """Check options and levels against the rules; raises `ConfigurationError`."""
    known = {rule.name: rule for rule in rules}
    problems = [
        f'there is no policy "{name}" in this pack'
        for name in sorted({*options, *levels} - {*known, _EVERY_POLICY})
    ]
    for name, given in options.items():
        if name in known:
            problems += _wrong_options(known[name], given)
        elif name == _EVERY_POLICY and given:
            problems.append('"all" takes a level only')
    if problems:
        raise ConfigurationError(problems)
    own = {rule.name: rule.enforcement for rule in rules}
    if _EVERY_POLICY in levels:
        own = dict.fromkeys(own, levels[_EVERY_POLICY])
    own |= {name: level for name, level in levels.items() if name in known}
    return Configured(
        rules=tuple(rule for rule in rules if own[rule.name] is not Enforcement.DISABLED),
        levels=own,
        settings=Settings(
            platform=_platform(options.get(PACK, {}), stage, api_id),
            exemptions=exemptions,
            options=options,
        ),
    )


def from_document(text: str) -> tuple[dict[str, Mapping[str, Any]], dict[str, Enforcement]]:
    """Read a policy configuration file (`--policy-pack-config`): options and levels per policy."""
    try:
        document: Any = json.loads(text)
    except ValueError as error:
        raise ConfigurationError([f"it is not JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise ConfigurationError(["it is not a JSON object"])
    options: dict[str, Mapping[str, Any]] = {}
    levels: dict[str, Enforcement] = {}
    problems: list[str] = []
    for name, value in cast("dict[str, Any]", document).items():
        level: Any = value
        if isinstance(value, dict):
            given = dict(cast("dict[str, Any]", value))
            level = given.pop("enforcementLevel", None)
            options[name] = given
        if level is None and isinstance(value, dict):
            continue
        try:
            levels[name] = Enforcement(level)
        except ValueError:
            problems.append(f'{name}: "{level}" is no level; use advisory, mandatory or disabled')
    if problems:
        raise ConfigurationError(problems)
    return options, levels


def stage_of(stack: str, config: Mapping[str, str]) -> tuple[str, str | None]:
    """Return the stage that a stack works on, and the shared API that its configuration names."""
    stage, api_id = stack, None
    for key, value in config.items():
        name = key.rpartition(":")[2]
        if name == "sharedStage" and value:
            stage = value
        elif name == "sharedApiId" and value:
            api_id = value
    return stage, api_id


def stage_of_process() -> tuple[str, str | None]:
    """Return the same from the environment, where the language host leaves it for a pack."""
    try:
        config: Any = json.loads(os.environ.get("PULUMI_CONFIG") or "{}")
    except ValueError:
        config = {}
    known = cast("dict[str, Any]", config) if isinstance(config, dict) else {}
    texts = {key: value for key, value in known.items() if isinstance(value, str)}
    return stage_of(os.environ.get("PULUMI_STACK", ""), texts)


def _platform(options: Mapping[str, Any], stage: str, api_id: str | None) -> SharedPlatform:
    platform = SharedPlatform(stage=stage, configured_api_id=api_id)
    if "sharedApis" in options:
        stages = {
            name: Stage(
                api_ids=tuple(given.get("ids", ())),
                handed_over_routes=tuple(given.get("handedOverRoutes", ())),
            )
            for name, given in options["sharedApis"].items()
        }
        platform = replace(platform, stages={**DEFAULT_STAGES, **stages})
    if "sharedApiName" in options:
        platform = replace(platform, api_name=Pattern(options["sharedApiName"]))
    if "sharedTables" in options:
        tables = tuple(Pattern(name) for name in options["sharedTables"])
        platform = replace(platform, tables=tables)
    if "platformRoutes" in options:
        platform = replace(platform, routes=tuple(options["platformRoutes"]))
    return platform


def _wrong_options(rule: Rule, given: Mapping[str, Any]) -> list[str]:
    problems: list[str] = []
    for key, value in given.items():
        schema = rule.options.get(key)
        if schema is None:
            known = ", ".join(rule.options) or "none"
            problems.append(f'{rule.name}: there is no option "{key}" (options: {known})')
        else:
            problems += _mismatches(f"{rule.name}.{key}", value, schema)
    return problems


def _mismatches(path: str, value: Any, schema: Mapping[str, Any]) -> list[str]:
    """Check a value against the part of JSON schema that the rules' options use."""
    expected = schema.get("type")
    if expected is not None and not isinstance(value, _JSON_TYPES[expected]):
        return [f"{path}: {value!r} is no {expected}"]
    problems: list[str] = []
    if isinstance(value, list):
        elements = cast("list[Any]", value)
        for number, element in enumerate(elements):
            problems += _mismatches(f"{path}[{number}]", element, schema.get("items", {}))
    elif isinstance(value, dict):
        rest = schema.get("additionalProperties", True)
        for key, inner in cast("dict[str, Any]", value).items():
            known = schema.get("properties", {}).get(key)
            if known is not None:
                problems += _mismatches(f"{path}.{key}", inner, known)
            elif rest is False:
                problems.append(f'{path}: there is no key "{key}"')
            elif isinstance(rest, dict):
                problems += _mismatches(f"{path}.{key}", inner, cast("dict[str, Any]", rest))
    return problems
