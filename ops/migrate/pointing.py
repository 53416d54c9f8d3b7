"""Turning every reference to a retired resource into one to what is shared. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

from ops.errors import OperatorError
from ops.migrate.retired import Legacy
from ops.migrate.template import references, sub_text

API_PARAMETER: Final = "SharedWebSocketApiId"
URL_PARAMETER: Final = "SharedWebSocketUrl"

_URL: Final = re.compile(
    r"(?P<scheme>wss|https)://(?P<host>\$\{" + API_PARAMETER + r"\}\.execute-api\.[^/\s\"',]+)"
    r"(?P<stage>/[^/\s\"',]+)?"
)


@dataclass(frozen=True, kw_only=True)
class Shared:
    """The names on the shared side that the template points to afterwards."""

    api_id: str
    url: str
    """The wss URL, stage included."""
    management_endpoint: str
    connections_table: str

    @property
    def stage(self) -> str:
        """The stage's name, the last part of the URL."""
        return self.url.rstrip("/").rsplit("/", 1)[-1]

    def connections_arn(self) -> dict[str, str]:
        """ARN of a post to the shared API's connections, as a template writes it."""
        own = f"${{AWS::Region}}:${{AWS::AccountId}}:${{{API_PARAMETER}}}"
        arn = f"arn:${{AWS::Partition}}:execute-api:{own}/{self.stage}/POST/@connections/*"
        return {"Fn::Sub": arn}


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that the rewrite does, and where."""

    kind: str
    """`add`, `remove` or `rewrite`."""
    path: str
    what: str


@dataclass(kw_only=True)
class Pointing:
    """Rewrites values that refer to what goes, and notes each."""

    legacy: Legacy
    shared: Shared
    table_texts: frozenset[str]
    """How the template spells the retired tables' names, `${Stage}` and the like included."""
    changes: list[Change] = field(default_factory=list[Change])

    def rewritten(self, value: Any, path: tuple[str, ...]) -> Any:
        """A part of the template, pointed at the shared side; the given one stays as it is."""
        if isinstance(value, list):
            items = cast("list[Any]", value)
            return [self.rewritten(item, (*path, str(i))) for i, item in enumerate(items)]
        if isinstance(value, str):
            return self._named(value, path)
        if not isinstance(value, dict):
            return value
        node = cast("dict[str, Any]", value)
        replaced = self._reference(node, path)
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
        """A function keeps the names that it has; one of a table it had not would need a right."""
        if not {"WEBSOCKET_ENDPOINT", "WEBSOCKET_CONNECTIONS_TABLE"} & set(variables):
            return
        for name, value in {
            "WEBSOCKET_CONNECTIONS_TABLE": self.shared.connections_table,
            "WEBSOCKET_ENDPOINT": self._endpoint(),
            "SHARED_WEBSOCKET_API_ID": {"Ref": API_PARAMETER},
        }.items():
            had = name in variables or name == "SHARED_WEBSOCKET_API_ID"
            if had and variables.get(name) != value:
                variables[name] = value
                self._note((*path, name), "points at the shared side")

    def _named(self, text: str, path: tuple[str, ...]) -> str:
        """A text that spells a retired table's name, spelled with the shared table's."""
        for name in self.table_texts:
            if name in text:
                text = text.replace(name, self.shared.connections_table)
                self._note(path, "names the shared connections table")
        return text

    def _reference(self, node: dict[str, Any], path: tuple[str, ...]) -> Any:
        """What a reference to a retired resource becomes, or None where it is none."""
        if len(node) != 1 or not references(node) & self.legacy.all:
            return None
        if "Ref" in node:
            return self._of(str(node["Ref"]))
        attribute = node.get("Fn::GetAtt")
        if attribute is not None:
            parts = cast(
                "list[Any]", attribute if isinstance(attribute, list) else attribute.split(".")
            )
            return self._attribute(str(parts[0]), str(parts[-1]))
        if not node.keys() & {"Fn::Sub", "Fn::Join"}:
            return None
        text = sub_text(node)
        if text is not None:
            return {"Fn::Sub": self._named(self._substituted(text), path)}
        sub = node.get("Fn::Sub")
        if isinstance(sub, list):
            text, own = cast("list[Any]", sub)
            return {"Fn::Sub": [self._substituted(str(text)), self.rewritten(own, path)]}
        return None

    def _of(self, name: str) -> Any:
        if name in self.legacy.apis:
            return {"Ref": API_PARAMETER}
        if name in self.legacy.tables:
            return self.shared.connections_table
        return self.shared.stage if name in self.legacy.parts else None

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
        text = re.sub(r"(\$\{" + URL_PARAMETER + r"\})/[^\s\"',]+", r"\1", text)
        return _URL.sub(self._url, text)

    def _url(self, found: re.Match[str]) -> str:
        """A URL with the API's id: its stage is the shared API's, whatever this template's is."""
        if found["scheme"] == "wss":
            return f"${{{URL_PARAMETER}}}"
        return f"https://{found['host']}/{self.shared.stage}"

    def _spellings(self, name: str) -> Iterator[tuple[str, str]]:
        if name in self.legacy.apis:
            yield f"{name}.ApiEndpoint", "${" + URL_PARAMETER + "}"
            yield f"{name}.ApiId", "${" + API_PARAMETER + "}"
            yield name, "${" + API_PARAMETER + "}"
        elif name in self.legacy.tables:
            yield f"{name}.Arn", self._table_arn()
            yield name, self.shared.connections_table
        elif name in self.legacy.parts:
            yield name, self.shared.stage

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

    def _note(self, path: tuple[str, ...], what: str) -> None:
        self.changes.append(Change(kind="rewrite", path=".".join(path), what=what))
