"""Reading an exported state: `pulumi stack export`, a checkpoint, or a deployment on its own."""

import json
from pathlib import Path
from typing import Any

from policies import wire
from policies.check.subject import Subject, UncheckableError, elements, mapping, read_text
from policies.kinds import kind_of
from policies.model import Registered, Resource
from policies.values import Props


def subject(file: Path) -> Subject:
    """Read the resources of a state; raises `UncheckableError`."""
    try:
        document: Any = json.loads(read_text(file))
    except ValueError as error:
        raise UncheckableError(f"{file} is not JSON: {error}") from error
    resources = _resources(document)
    if resources is None:
        raise UncheckableError(f"{file} is no exported state: it holds no list of resources")
    registered: list[Registered] = []
    stack = ""
    for entry in resources:
        known = mapping(entry)
        if not isinstance(known.get("type"), str):
            raise UncheckableError(f"{file} holds a resource without a type")
        stack = stack or _stack_of(str(known.get("urn", "")))
        # What was only read belongs to somebody else; what is to be deleted will be gone.
        if not known.get("external") and not known.get("delete"):
            registered.append(_registered(known))
    return Subject(file=file, what="state", registered=registered, stack=stack)


def _resources(document: Any) -> list[Any] | None:
    for path in (("deployment",), ("checkpoint", "latest"), ("latest",), ()):
        found = mapping(document)
        for step in path:
            found = mapping(found.get(step))
        if isinstance(found.get("resources"), list):
            return elements(found["resources"])
        if path and "manifest" in found and found.get("resources") is None:
            return []
    return None


def _stack_of(urn: str) -> str:
    parts = urn.split("::")
    return parts[0].removeprefix("urn:pulumi:") if len(parts) >= 4 else ""


def _registered(entry: dict[str, Any]) -> Registered:
    type_ = entry["type"]
    urn = str(entry.get("urn", ""))
    kind = kind_of(type_)
    # Only what a rule may look at is read: most of a large state is of no kind at all.
    read = wire.from_json(entry.get("inputs") or {}) if _matters(type_, kind) else {}
    return Registered(
        resource=Resource(
            type=type_,
            kind=kind,
            name=urn.rpartition("::")[2],
            urn=urn,
            props=Props(read if isinstance(read, dict) else {}),
        ),
        dependencies=elements(entry.get("dependencies")),
        property_dependencies={
            name: elements(urns)
            for name, urns in mapping(entry.get("propertyDependencies")).items()
        },
    )


def _matters(type_: str, kind: str | None) -> bool:
    return kind is not None or ":tf:" in type_
