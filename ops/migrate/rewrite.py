"""What moving onto the shared API does to a CloudFormation template. Pure."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from ops.errors import OperatorError
from ops.migrate.template import references, walk

API_PARAMETER: Final = "SharedWebSocketApiId"
URL_PARAMETER: Final = "SharedWebSocketUrl"

_API: Final = "AWS::ApiGatewayV2::Api"
_PART_OF_API: Final = frozenset(
    f"AWS::ApiGatewayV2::{kind}"
    for kind in (
        "ApiGatewayManagedOverrides",
        "ApiMapping",
        "Authorizer",
        "Deployment",
        "Integration",
        "IntegrationResponse",
        "Model",
        "Route",
        "RouteResponse",
        "Stage",
    )
)
_CONNECTIONS_TABLE: Final = re.compile(r"websocket-?connections", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Shared:
    """The names on the shared side that the template points to afterwards."""

    api_id: str
    url: str
    """The wss URL, stage included."""
    management_endpoint: str
    connections_table: str
    subscriptions_table: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that the rewrite does, and where."""

    kind: str
    """`add`, `remove` or `rewrite`."""
    path: str
    what: str


@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """The new template, what was done to it, and what still points at the legacy API."""

    template: dict[str, Any]
    changes: tuple[Change, ...]
    leftovers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Legacy:
    """The logical ids of what is retired."""

    apis: frozenset[str]
    parts: frozenset[str]
    permissions: frozenset[str]
    tables: frozenset[str]
    feeds: frozenset[str]
    """Event source mappings of the API's handlers: the shared stack publishes those events."""

    @property
    def all(self) -> frozenset[str]:
        """Every logical id that goes."""
        return self.apis | self.parts | self.permissions | self.tables | self.feeds


def find_legacy(template: dict[str, Any]) -> Legacy:
    """The template's own WebSocket API and all that exists only for it.

    HTTP APIs and their parts stay. A connections table is one whose logical id or name says so.
    """
    resources = _resources(template)
    apis = {
        name
        for name, resource in resources.items()
        if resource.get("Type") == _API
        and str(_properties(resource).get("ProtocolType", "")).upper() == "WEBSOCKET"
    }
    parts = {
        name
        for name, resource in resources.items()
        if resource.get("Type") in _PART_OF_API
        and references(_properties(resource).get("ApiId")) & apis
    }
    permissions = {
        name
        for name, resource in resources.items()
        if resource.get("Type") == "AWS::Lambda::Permission"
        and references(_properties(resource).get("SourceArn")) & apis
    }
    tables = {
        name
        for name, resource in resources.items()
        if resource.get("Type") == "AWS::DynamoDB::Table" and _is_connections_table(name, resource)
    }
    handlers = {
        name
        for part in parts
        for name in references(_properties(resources[part]).get("IntegrationUri"))
        if "Function" in str(resources.get(name, {}).get("Type"))
    }
    feeds = {
        name
        for name, resource in resources.items()
        if resource.get("Type") == "AWS::Lambda::EventSourceMapping"
        and references(_properties(resource).get("FunctionName")) & handlers
    }
    return Legacy(
        apis=frozenset(apis),
        feeds=frozenset(feeds),
        parts=frozenset(parts),
        permissions=frozenset(permissions),
        tables=frozenset(tables),
    )


def rewrite(
    template: dict[str, Any], shared: Shared, *, legacy_names: frozenset[str] = frozenset()
) -> Rewrite:
    """Take the legacy API out of `template` and point everything at the shared one.

    `legacy_names` are physical names (API ids, table names) that must not be left anywhere in it.
    The template given is not changed; one that is already rewritten comes back as it is.
    """
    before = copy.deepcopy(template)
    legacy = find_legacy(before)
    if not legacy.apis and not legacy.tables and API_PARAMETER in before.get("Parameters", {}):
        return Rewrite(
            template=before, changes=(), leftovers=_leftovers(before, legacy, legacy_names)
        )
    after = copy.deepcopy(before)
    changes: list[Change] = []
    for name in sorted(legacy.all):
        kind = str(after["Resources"].pop(name).get("Type"))
        changes.append(Change(kind="remove", path=f"Resources.{name}", what=kind))
    changes.extend(_add_parameters(after, shared))
    texts = {_name_text(_resources(before)[name]) for name in legacy.tables} - {""}
    pointed = _Pointing(legacy=legacy, shared=shared, table_texts=frozenset(texts))
    after = cast("dict[str, Any]", pointed.rewritten(after, ()))
    changes.extend(pointed.changes)
    return Rewrite(
        template=after,
        changes=tuple(changes),
        leftovers=_leftovers(after, legacy, legacy_names),
    )


def announce(template: dict[str, Any], shared: Shared) -> Rewrite:
    """The first of the two changes: clients learn of the shared side, nothing is taken away yet.

    The parameters come in, the outputs name the shared API, and the retired tables are kept when
    they leave the stack later.
    """
    target = rewrite(template, shared)
    after = copy.deepcopy(template)
    changes = list(_add_parameters(after, shared))
    outputs = target.template.get("Outputs", {})
    if after.get("Outputs", {}) != outputs:
        after["Outputs"] = outputs
        changes.extend(change for change in target.changes if change.path.startswith("Outputs."))
    for name in sorted(find_legacy(template).tables):
        resource = after["Resources"][name]
        if resource.get("DeletionPolicy") != "Retain":
            resource["DeletionPolicy"] = "Retain"
            changes.append(
                Change(kind="rewrite", path=f"Resources.{name}.DeletionPolicy", what="Retain")
            )
    return Rewrite(template=after, changes=tuple(changes), leftovers=())


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


@dataclass(kw_only=True)
class _Pointing:
    """Turns every reference to what goes into one to what is shared, and notes each."""

    legacy: Legacy
    shared: Shared
    table_texts: frozenset[str]
    """How the template spells the retired tables' names, `${Stage}` and the like included."""

    def __post_init__(self) -> None:
        self.changes: list[Change] = []

    def rewritten(self, value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, list):
            items = cast("list[Any]", value)
            return [self.rewritten(item, (*path, str(i))) for i, item in enumerate(items)]
        if isinstance(value, str):
            return self._named(value, path)
        if not isinstance(value, dict):
            return value
        node = cast("dict[str, Any]", value)
        replaced = self._reference(node)
        if replaced is not None:
            self._note(path, "points at the shared side")
            return replaced
        result: dict[str, Any] = {}
        for key, item in node.items():
            if key == "DependsOn":
                kept = self._dependencies(item, path)
                if kept:
                    result[key] = kept
            else:
                result[key] = self.rewritten(item, (*path, key))
        if path[-2:] == ("Environment", "Variables"):
            self._environment(result, path)
        return result

    def _environment(self, variables: dict[str, Any], path: tuple[str, ...]) -> None:
        """A function that knows a connections table or an endpoint knows all four shared names."""
        if not {"WEBSOCKET_ENDPOINT", "WEBSOCKET_CONNECTIONS_TABLE"} & set(variables):
            return
        for name, value in {
            "WEBSOCKET_CONNECTIONS_TABLE": self.shared.connections_table,
            "WEBSOCKET_SUBSCRIPTIONS_TABLE": self.shared.subscriptions_table,
            "SHARED_WEBSOCKET_API_ID": {"Ref": API_PARAMETER},
            "WEBSOCKET_ENDPOINT": self._endpoint(),
        }.items():
            if variables.get(name) != value:
                variables[name] = value
                self._note((*path, name), "points at the shared side")

    def _named(self, text: str, path: tuple[str, ...]) -> str:
        """A text that spells a retired table's name, spelled with the shared table's."""
        for name in self.table_texts:
            if name in text:
                text = text.replace(name, self.shared.connections_table)
                self._note(path, "names the shared connections table")
        return text

    def _reference(self, node: dict[str, Any]) -> Any:
        """What a Ref, GetAtt or Sub of a retired resource becomes, or None where it is none."""
        if len(node) != 1:
            return None
        if node.get("Ref") in self.legacy.apis:
            return {"Ref": API_PARAMETER}
        if node.get("Ref") in self.legacy.tables:
            return self.shared.connections_table
        if node.get("Ref") in self.legacy.parts:
            return self._stage()
        attribute = node.get("Fn::GetAtt")
        if attribute is not None:
            parts = cast(
                "list[Any]", attribute if isinstance(attribute, list) else attribute.split(".")
            )
            return self._attribute(str(parts[0]), str(parts[-1]))
        sub = node.get("Fn::Sub")
        if isinstance(sub, str) and references({"Fn::Sub": sub}) & self.legacy.all:
            return {"Fn::Sub": self._substituted(sub)}
        if isinstance(sub, list) and references({"Fn::Sub": sub}) & self.legacy.all:
            parts = cast("list[Any]", sub)
            return {"Fn::Sub": [self._substituted(str(parts[0])), *parts[1:]]}
        return None

    def _attribute(self, name: str, attribute: str) -> Any:
        if name in self.legacy.apis:
            if attribute == "ApiEndpoint":
                return {"Ref": URL_PARAMETER}
            return {"Ref": API_PARAMETER}
        if name in self.legacy.tables:
            if attribute == "Arn":
                return {"Fn::Sub": self._table_arn()}
            raise OperatorError(
                f"Fn::GetAtt {name}.{attribute}: the shared table has no {attribute} in this "
                "template; take the reference out first"
            )
        return None

    def _substituted(self, text: str) -> str:
        for name in sorted(self.legacy.all, key=len, reverse=True):
            for spelled, plain in self._spellings(name):
                text = text.replace("${" + spelled + "}", plain)
        # The API's own endpoint came without the stage, which templates then append; ours has it.
        return re.sub(r"(\$\{" + URL_PARAMETER + r"\})/[^\s\"',]+", r"\1", text)

    def _spellings(self, name: str) -> Iterator[tuple[str, str]]:
        if name in self.legacy.apis:
            yield f"{name}.ApiEndpoint", "${" + URL_PARAMETER + "}"
            yield f"{name}.ApiId", "${" + API_PARAMETER + "}"
            yield name, "${" + API_PARAMETER + "}"
        elif name in self.legacy.tables:
            yield f"{name}.Arn", self._table_arn()
            yield name, self.shared.connections_table
        else:
            yield name, self._stage()

    def _endpoint(self) -> Any:
        """The https management endpoint, by the parameter where it has AWS's form."""
        own = f"https://{self.shared.api_id}."
        if not self.shared.management_endpoint.startswith(own):
            return self.shared.management_endpoint
        rest = self.shared.management_endpoint.removeprefix(own)
        return {"Fn::Sub": f"https://${{{API_PARAMETER}}}.{rest}"}

    def _dependencies(self, value: Any, path: tuple[str, ...]) -> Any:
        names = cast("list[str]", [value] if isinstance(value, str) else value)
        kept = [name for name in names if name not in self.legacy.all]
        if len(kept) != len(names):
            self._note((*path, "DependsOn"), "no longer waits for what is gone")
        return kept[0] if isinstance(value, str) and kept else kept

    def _table_arn(self) -> str:
        name = self.shared.connections_table
        return f"arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/{name}"

    def _stage(self) -> str:
        return self.shared.url.rstrip("/").rsplit("/", 1)[-1]

    def _note(self, path: tuple[str, ...], what: str) -> None:
        self.changes.append(Change(kind="rewrite", path=".".join(path), what=what))


def _leftovers(template: dict[str, Any], legacy: Legacy, names: frozenset[str]) -> tuple[str, ...]:
    found: list[str] = []
    for path, value in walk(template):
        where = ".".join(str(part) for part in path)
        if isinstance(value, str):
            found.extend(f"{where} names {name}" for name in sorted(names) if name in value)
        elif isinstance(value, dict):
            node = cast("dict[str, Any]", value)
            if len(node) == 1 and node.keys() & {"Ref", "Fn::GetAtt", "Fn::Sub"}:
                gone = references(node) & legacy.all
                found.extend(f"{where} refers to {name}" for name in sorted(gone))
    return tuple(dict.fromkeys(found))


def _is_connections_table(name: str, resource: dict[str, Any]) -> bool:
    return bool(_CONNECTIONS_TABLE.search(name) or _CONNECTIONS_TABLE.search(_name_text(resource)))


def _name_text(resource: dict[str, Any]) -> str:
    """A table's name as the template spells it, or an empty text where CloudFormation makes it."""
    name = _properties(resource).get("TableName", "")
    if isinstance(name, dict):
        name = cast("dict[str, Any]", name).get("Fn::Sub", "")
    return name if isinstance(name, str) else ""


def _resources(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    resources = template.get("Resources")
    if not isinstance(resources, dict):
        raise OperatorError("the template has no Resources")
    return cast("dict[str, dict[str, Any]]", resources)


def _properties(resource: dict[str, Any]) -> dict[str, Any]:
    properties = resource.get("Properties", {})
    return cast("dict[str, Any]", properties) if isinstance(properties, dict) else {}
