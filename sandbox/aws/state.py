"""Turns inputs and what the cloud says into a resource's outputs, and into inputs again. Pure,
but for the calls that a type's own `outputs` makes.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.aws.check import DEFAULTS
from sandbox.aws.diff import same
from sandbox.aws.operation import Operation
from sandbox.aws.schema import Kind, ResourceType
from sandbox.aws.shapes import dig, from_aws
from sandbox.aws.values import UNKNOWN

_ZERO = {Kind.TEXT: "", Kind.INTEGER: 0, Kind.FLAG: False}


def planned(operation: Operation) -> dict[str, Any]:
    """Return the outputs that a preview can tell: what only the cloud knows is `UNKNOWN`."""
    outputs = _given(operation)
    for known in operation.type.properties.values():
        if known.name in outputs:
            continue
        if known.name in operation.state and not known.volatile:
            if known.output or known.computed:
                outputs[known.name] = operation.state[known.name]
        elif known.output or known.computed:
            outputs[known.name] = UNKNOWN
    return outputs


def made(operation: Operation, response: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs after a create or an update: the inputs, and what the cloud filled in."""
    outputs = _given(operation)
    found = observed(operation, response)
    for known in operation.type.properties.values():
        if known.name in outputs or not (known.output or known.computed):
            continue
        value = found.get(known.name)
        if value is None and known.output:
            value = _ZERO.get(known.kind)
        if value is not None:
            outputs[known.name] = value
    return outputs


def _given(operation: Operation) -> dict[str, Any]:
    outputs = {name: value for name, value in operation.inputs.items() if name != DEFAULTS}
    if "region" in operation.type.properties:
        outputs.setdefault("region", operation.region)
    if operation.type.tagged:
        tags = operation.inputs.get("tags")
        outputs["tagsAll"] = UNKNOWN if tags is UNKNOWN else operation.tags
    return outputs


def observed(operation: Operation, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return every property that the cloud's answer holds, and None for inputs that it lacks."""
    found: dict[str, Any] = {}
    for known in operation.type.properties.values():
        value = dig(answer, known.told) if known.told else None
        if value is not None:
            found[known.name] = from_aws(known, value)
        elif known.told and not (known.output or known.computed):
            found[known.name] = None
    if "region" in operation.type.properties:
        found["region"] = operation.region
    for known in operation.type.properties.values():
        if known.template:
            about = {"id": operation.id, "region": operation.region}
            if "{account}" in known.template:
                about["account"] = operation.session.account
            found[known.name] = known.template.format_map(
                {**operation.state, **operation.inputs, **found, **about}
            )
    return found


def refreshed(operation: Operation, found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state brought up to what the cloud says.

    What means the same keeps its old spelling. What is not in `found` stays as it was; what is None
    there is gone.
    """
    state = dict(operation.state)
    for known in operation.type.properties.values():
        name = known.name
        if name not in found:
            continue
        value = found[name]
        if name not in state:
            if value:
                state[name] = value
        elif not same(known, state[name], value):
            if value is None:
                del state[name]
            else:
                state[name] = value
    return state


def drifted(
    each: ResourceType, inputs: Mapping[str, Any], state: Mapping[str, Any]
) -> dict[str, Any]:
    """Return inputs with the values that the state now has."""
    return {
        name: value
        if name not in each.properties
        or name not in state
        or each.properties[name].kind is Kind.ARCHIVE
        or same(each.properties[name], state[name], value)
        else state[name]
        for name, value in inputs.items()
        if name not in each.properties or name in state or not value
    }


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
