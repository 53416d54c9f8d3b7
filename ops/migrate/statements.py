"""IAM statements on the API that goes, narrowed to posts on the shared one's connections. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Final, cast

from ops.migrate.retired import named_in
from ops.migrate.template import references, walk

POST: Final = "execute-api:ManageConnections"
_NO_VALUE: Final = {"Ref": "AWS::NoValue"}
_PLACEHOLDER: Final = re.compile(r"\$\{[^}]*\}")


@dataclass(kw_only=True)
class Narrowing:
    """Rewrites every statement that allows something on a retired API, and notes what it did."""

    apis: frozenset[str]
    """Logical ids."""
    names: frozenset[str]
    """Physical ids, for statements that spell them out."""
    connections: Any
    """ARN of the shared API's connections, as a Fn::Sub."""
    notes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Path and what became of the statement there."""
    refused: list[str] = field(default_factory=list[str])
    """Statements that cannot be narrowed without knowing what was meant."""
    wide: list[str] = field(default_factory=list[str])
    """Statements that reach every API, so the shared one too, and may mean others."""

    def narrowed(self, value: Any, path: tuple[str, ...] = ()) -> Any:
        """A part of a template with the statements below it narrowed; the given one stays."""
        if isinstance(value, list):
            items = cast("list[Any]", value)
            return [self.narrowed(item, (*path, str(i))) for i, item in enumerate(items)]
        if not isinstance(value, dict):
            return value
        return {
            key: self._statements(item, (*path, key))
            if key == "Statement"
            else self.narrowed(item, (*path, key))
            for key, item in cast("dict[str, Any]", value).items()
        }

    def _statements(self, value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, list):
            items = cast("list[Any]", value)
            split = [self._entry(item, (*path, str(i))) for i, item in enumerate(items)]
            kept: list[Any] = [statement for entry in split for statement in entry]
        else:
            kept = self._entry(value, path)
        if not kept and value:
            self._refuse(path, "a policy that speaks only of the API that goes: take it out")
            return cast("Any", value)
        return kept if isinstance(value, list) or len(kept) != 1 else kept[0]

    def _entry(self, item: Any, path: tuple[str, ...]) -> list[Any]:
        """What one statement becomes: itself, two in its place, or none."""
        if not isinstance(item, dict):
            return [item]
        node = cast("dict[str, Any]", item)
        chosen = node.get("Fn::If")
        if isinstance(chosen, list) and len(cast("list[Any]", chosen)) == 3:
            condition, *branches = cast("list[Any]", chosen)
            split = [
                self._entry(branch, (*path, "Fn::If", str(i))) for i, branch in enumerate(branches)
            ]
            pairs = zip_longest(*split, fillvalue=_NO_VALUE)
            return [{"Fn::If": [condition, *pair]} for pair in pairs]
        return self._statement(node, path)

    def _statement(self, statement: dict[str, Any], path: tuple[str, ...]) -> list[Any]:
        if statement.get("Effect") != "Allow":
            return [statement]
        if self._names_api(statement.get("NotResource")):
            self._refuse(path, "NotResource names the API that goes: write its Resource")
            return [statement]
        resources = _listed(statement.get("Resource"))
        of_api = [resource for resource in resources if self._names_api(resource)]
        if not of_api:
            return self._wide(statement, path)
        if "NotAction" in statement:
            self._refuse(path, "NotAction on the API that goes: write its Action")
            return [statement]
        actions = _listed(statement.get("Action"))
        if not all(isinstance(action, str) for action in actions):
            self._refuse(path, "an Action on the API that goes is not spelled out: spell it out")
            return [statement]
        if any(self._is_mixed(resource) for resource in of_api):
            self._refuse(path, "a Fn::If of the API that goes and another: make two statements")
            return [statement]
        others = [resource for resource in resources if not self._names_api(resource)]
        kept: list[Any] = []
        if others:
            kept += self._wide(statement | {"Resource": others}, path)
        if any(_is_execute_api(action) for action in actions):
            post = statement | {"Action": POST, "Resource": self.connections}
            if others:  # a Sid is unique in a policy
                post.pop("Sid", None)
            kept.append(post)
            self.notes.append((".".join(path), f"{POST} on the shared API's connections"))
        else:
            said = ", ".join(actions)
            self.notes.append((".".join(path), f"gives no {said} on the shared API"))
        return kept

    def _wide(self, statement: dict[str, Any], path: tuple[str, ...]) -> list[Any]:
        """A statement that does not name the API, but may reach it by a wildcard."""
        resources = _listed(statement.get("Resource"))
        actions = _listed(statement.get("Action"))
        names = [a.lower() for a in actions if isinstance(a, str) and _is_execute_api(a)]
        if not any(_is_any_api(resource) for resource in resources) or not set(names) - {"*"}:
            return [statement]
        if names == [POST.lower()] and len(actions) == 1:
            others = [resource for resource in resources if not _is_any_api(resource)]
            self.notes.append((".".join(path), f"{POST} on the shared API's connections"))
            narrow = statement | {"Action": POST, "Resource": [*others, self.connections]}
            return [narrow if others else narrow | {"Resource": self.connections}]
        self.wide.append(f"{'.'.join(path)} allows {', '.join(sorted(set(names)))} on every API")
        return [statement]

    def _names_api(self, value: Any) -> bool:
        if references(value) & self.apis:
            return True
        texts = (text for _, text in walk(value) if isinstance(text, str))
        return any(named_in(text, self.names) for text in texts)

    def _is_mixed(self, resource: Any) -> bool:
        """Whether a resource is chosen by a condition, and only one choice is the API."""
        if not isinstance(resource, dict) or "Fn::If" not in resource:
            return False
        branches = cast("list[Any]", resource["Fn::If"])[1:]
        rest = [branch for branch in branches if branch != _NO_VALUE]
        return not all(self._names_api(branch) for branch in rest) or any(
            self._is_mixed(branch) for branch in rest
        )

    def _refuse(self, path: tuple[str, ...], why: str) -> None:
        self.refused.append(f"{'.'.join(path)}: {why}")


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _is_execute_api(action: str) -> bool:
    return action == "*" or action.lower().startswith("execute-api:")


def _is_any_api(resource: Any) -> bool:
    """Whether a resource is `*`, or an execute-api ARN whose API is a wildcard."""
    if isinstance(resource, dict):
        resource = cast("dict[str, Any]", resource).get("Fn::Sub")
    if not isinstance(resource, str):
        return False
    parts = _PLACEHOLDER.sub("x", resource).split(":", 5)
    return resource == "*" or (parts[2:3] == ["execute-api"] and parts[-1].startswith("*"))
