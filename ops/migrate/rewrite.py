"""What moving onto the shared API does to a CloudFormation template. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from ops.errors import OperatorError
from ops.migrate.pointing import API_PARAMETER, URL_PARAMETER, Change, Pointing, Shared
from ops.migrate.retired import (
    Legacy,
    find_legacy,
    name_text,
    named_in,
    properties_of,
    resources_of,
)
from ops.migrate.statements import Narrowing
from ops.migrate.template import references, walk


@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """The new template, what was done to it, and what still points at the legacy API."""

    template: dict[str, Any]
    changes: tuple[Change, ...]
    leftovers: tuple[str, ...]


def rewrite(
    template: dict[str, Any],
    shared: Shared,
    *,
    legacy: Legacy | None = None,
    legacy_names: frozenset[str] = frozenset(),
) -> Rewrite:
    """Take the legacy API out of `template` and point everything at the shared one.

    `legacy` is what goes, where more is known of it than the template tells. `legacy_names` are
    physical names (API ids, table names) that must not be left anywhere. The template given is not
    changed; one that is already rewritten comes back as it is. Raises OperatorError that lists, by
    path, what cannot be rewritten without knowing what was meant.
    """
    legacy = find_legacy(template) if legacy is None else legacy
    after = copy.deepcopy(template)
    if not legacy.apis and not legacy.tables and API_PARAMETER in template.get("Parameters", {}):
        return Rewrite(
            template=after, changes=(), leftovers=_leftovers(after, legacy, legacy_names)
        )
    changes = [*_without(after, legacy), *_add_parameters(after, shared)]
    statements = Narrowing(
        apis=legacy.apis, names=legacy_names, connections=shared.connections_arn()
    )
    after = cast("dict[str, Any]", statements.narrowed(after))
    refused = [*statements.refused, *_connectors(after, legacy)]
    if refused:
        raise OperatorError(
            "the template cannot be rewritten as it stands:\n  " + "\n  ".join(refused)
        )
    changes += [Change(kind="rewrite", path=path, what=what) for path, what in statements.notes]
    texts = {name_text(resources_of(template)[name]) for name in legacy.tables} - {""}
    pointing = Pointing(legacy=legacy, shared=shared, table_texts=frozenset(texts))
    after = cast("dict[str, Any]", pointing.rewritten(after, ()))
    return Rewrite(
        template=after,
        changes=(*changes, *dict.fromkeys(pointing.changes)),
        leftovers=(*_leftovers(after, legacy, legacy_names), *statements.wide),
    )


def announce(template: dict[str, Any], shared: Shared, *, legacy: Legacy | None = None) -> Rewrite:
    """The first of the two changes: clients learn of the shared side, nothing is taken away yet.

    The parameters come in, the outputs name the shared API, and the retired tables are kept when
    they leave the stack later.
    """
    legacy = find_legacy(template) if legacy is None else legacy
    target = rewrite(template, shared, legacy=legacy)
    after = copy.deepcopy(template)
    changes = list(_add_parameters(after, shared))
    outputs = target.template.get("Outputs", {})
    if after.get("Outputs", {}) != outputs:
        after["Outputs"] = outputs
        changes.extend(change for change in target.changes if change.path.startswith("Outputs."))
    for name in sorted(legacy.tables):
        resource = after["Resources"][name]
        if resource.get("DeletionPolicy") != "Retain":
            resource["DeletionPolicy"] = "Retain"
            changes.append(
                Change(kind="rewrite", path=f"Resources.{name}.DeletionPolicy", what="Retain")
            )
    return Rewrite(template=after, changes=tuple(changes), leftovers=())


def _without(template: dict[str, Any], legacy: Legacy) -> Iterator[Change]:
    """Take out the resources that go, and the events of functions that stay."""
    resources = resources_of(template)
    for name in sorted(legacy.all):
        kind = str(resources.pop(name).get("Type"))
        yield Change(kind="remove", path=f"Resources.{name}", what=kind)
    for feed in sorted(legacy.feeds, key=lambda feed: feed.logical_id):
        if feed.event is None:
            continue
        properties = properties_of(resources[feed.function])
        del properties["Events"][feed.event]
        if not properties["Events"]:
            del properties["Events"]
        path = f"Resources.{feed.function}.Properties.Events.{feed.event}"
        yield Change(kind="remove", path=path, what="the shared side reads this stream")


def _add_parameters(template: dict[str, Any], shared: Shared) -> Iterator[Change]:
    parameters = cast("dict[str, Any]", template.setdefault("Parameters", {}))
    for name, default, description in (
        (API_PARAMETER, shared.api_id, "Id of the shared WebSocket API"),
        (URL_PARAMETER, shared.url, "URL of the shared WebSocket API, stage included"),
    ):
        known = name in parameters
        if known and parameters[name].get("Default") == default:
            continue
        parameters[name] = {"Type": "String", "Default": default, "Description": description}
        yield Change(
            kind="rewrite" if known else "add", path=f"Parameters.{name}", what=f"default {default}"
        )


def _connectors(template: dict[str, Any], legacy: Legacy) -> Iterator[str]:
    """SAM connectors name their ends by a bare logical id, which no reference shows."""
    for path, value in walk(template):
        if not {"Source", "Destination"} & set(path) or not isinstance(value, dict):
            continue
        name = cast("dict[str, Any]", value).get("Id")
        if isinstance(name, str) and name in legacy.all:
            yield f"{_dotted(path)}: a connector of {name}, which goes: write its permission out"


def _leftovers(template: dict[str, Any], legacy: Legacy, names: frozenset[str]) -> tuple[str, ...]:
    found: list[str] = []
    for path, value in walk(template):
        where = _dotted(path)
        if isinstance(value, str):
            found.extend(f"{where} names {name}" for name in named_in(value, names))
        elif isinstance(value, dict):
            node = cast("dict[str, Any]", value)
            if len(node) == 1 and node.keys() & {"Ref", "Fn::GetAtt", "Fn::Sub"}:
                gone = references(node) & legacy.all
                found.extend(f"{where} refers to {name}" for name in sorted(gone))
    return tuple(dict.fromkeys(found))


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in path)
