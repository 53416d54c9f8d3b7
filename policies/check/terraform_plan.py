"""Reading a Terraform plan as JSON (`terraform show -json plan`): what it creates or keeps."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from policies import wire
from policies.check.subject import Subject, UncheckableError, elements, mapping, read_text
from policies.kinds import kind_of
from policies.model import Registered, Resource
from policies.values import UNKNOWN, Props, Value


def subject(file: Path) -> Subject:
    """Read the resources that a plan leaves in place; raises `UncheckableError`."""
    try:
        document: Any = json.loads(read_text(file))
    except ValueError as error:
        raise UncheckableError(f"{file} is not JSON: {error}") from error
    plan = mapping(document)
    if not isinstance(plan.get("resource_changes"), list):
        hint = "make it with: terraform show -json <plan file>"
        raise UncheckableError(f"{file} is no Terraform plan ({hint})")
    registered: list[Registered] = []
    for entry in elements(plan["resource_changes"]):
        change = mapping(entry)
        if not mapping(change.get("change")) or not isinstance(change.get("type"), str):
            raise UncheckableError(f"{file} holds a change that cannot be read")
        if change.get("mode") != "data" and _stays(change):
            registered.append(_registered(change))
    configuration = mapping(plan.get("configuration"))
    registered += list(_provisioners(mapping(configuration.get("root_module")), ""))
    return Subject(file=file, what="plan", registered=registered)


def _stays(change: dict[str, Any]) -> bool:
    # A deletion has no state after it; a creation with nothing known has only unknowns.
    after = change["change"]
    return after.get("after") is not None or bool(after.get("after_unknown"))


def _registered(change: dict[str, Any]) -> Registered:
    after = wire.from_json(change["change"]["after"])
    merged = _with_unknowns(after, change["change"].get("after_unknown"))
    address = str(change.get("address", ""))
    type_ = change["type"]
    return Registered(
        resource=Resource(
            type=type_,
            kind=kind_of(type_),
            name=address,
            urn=address,
            props=Props(merged if isinstance(merged, dict) else {}),
        )
    )


def _with_unknowns(after: Value, unknown: Any) -> Value:
    """Mark what the plan says will be known only after the apply."""
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, dict):
        fields = dict(after) if isinstance(after, dict) else {}
        for name, inner in mapping(cast("object", unknown)).items():
            marked = _with_unknowns(fields.get(name), inner)
            if marked is not None:
                fields[name] = marked
        return fields
    if isinstance(unknown, list) and isinstance(after, list):
        marks = elements(cast("object", unknown))
        pairs = zip(after, [*marks, *[None] * len(after)], strict=False)
        return [_with_unknowns(element, mark) for element, mark in pairs]
    return after


def _provisioners(module: dict[str, Any], prefix: str) -> Iterator[Registered]:
    """Yield the commands that resources run when they are created."""
    for entry in elements(module.get("resources")):
        resource = mapping(entry)
        for number, provisioner in enumerate(map(mapping, elements(resource.get("provisioners")))):
            command: dict[str, Value] = {
                name: wire.from_json(mapping(expression).get("constant_value", UNKNOWN))
                for name, expression in mapping(provisioner.get("expressions")).items()
            }
            # The words of the command resource, which the rule about commands reads.
            command["create"] = command.get("command") or command.get("inline")
            address = f"{prefix}{resource.get('address', '')}.provisioner[{number}]"
            yield Registered(
                resource=Resource(
                    type=f"provisioner {provisioner.get('type', '')}",
                    kind=kind_of("command:local:Command"),
                    name=address,
                    urn=address,
                    props=Props(command),
                )
            )
    for name, call in mapping(module.get("module_calls")).items():
        yield from _provisioners(mapping(mapping(call).get("module")), f"{prefix}module.{name}.")
