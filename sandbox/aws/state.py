"""Turns inputs and what the cloud says into a resource's outputs, and into inputs again. Pure, but
for the account, which the cloud is asked for once.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.aws.check import DEFAULTS
from sandbox.aws.diff import same
from sandbox.aws.operation import Operation
from sandbox.aws.schema import Property, ResourceType
from sandbox.aws.shapes import dig, from_aws
from sandbox.aws.values import UNKNOWN


def planned(operation: Operation) -> dict[str, Any]:
    """Return the outputs that a preview can tell: what only the cloud knows is `UNKNOWN`."""
    old = operation.state
    return _outputs(operation, lambda it: UNKNOWN if it.volatile else old.get(it.name, UNKNOWN))


def made(operation: Operation, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs after a create or an update: the inputs, and what the cloud filled in."""
    found = observed(operation, answer)
    outputs = _outputs(
        operation, lambda it: found.get(it.name, it.kind.empty if it.output else None)
    )
    return {name: value for name, value in outputs.items() if value is not None}


def _outputs(operation: Operation, fill: Callable[[Property], Any]) -> dict[str, Any]:
    outputs = {name: value for name, value in operation.inputs.items() if name != DEFAULTS}
    if "region" in operation.type.properties:
        outputs.setdefault("region", operation.region)
    if operation.type.tagged:
        tags = operation.inputs.get("tags")
        outputs["tagsAll"] = UNKNOWN if tags == UNKNOWN else operation.tags
    for name, known in operation.type.properties.items():
        if name not in outputs and (known.output or known.computed):
            outputs[name] = fill(known)
    return outputs


def observed(operation: Operation, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return every property that the cloud's answer holds, and None for inputs that it lacks."""
    found: dict[str, Any] = {}
    for name, known in operation.type.properties.items():
        value = dig(answer, known.told) if known.told else None
        if value is not None:
            found[name] = from_aws(known, value)
        elif known.told and not (known.output or known.computed):
            found[name] = None
    about = {"id": operation.id, "region": operation.region}
    for name, known in operation.type.properties.items():
        if known.template:
            if "{account}" in known.template:
                about["account"] = operation.session.account
            values = {**operation.state, **operation.inputs, **found, **about}
            found[name] = known.template.format_map(values)
    return found


def brought(
    each: ResourceType, values: Mapping[str, Any], found: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a state, or its inputs, brought up to what the cloud says.

    What means the same keeps its old spelling. What is not in `found` stays as it was; what is None
    there is gone.
    """
    fresh = {
        name: value
        for name, value in found.items()
        if not same(each.properties[name], values.get(name), value)
    }
    return {name: value for name, value in {**values, **fresh}.items() if value is not None}


def imported(each: ResourceType, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs that a program would give for what an import found."""
    return {
        name: value
        for name, value in found.items()
        if (known := each.properties.get(name))
        and not known.output
        and value
        and (known.required or (not known.computed and value != known.default))
    } | {DEFAULTS: []}
