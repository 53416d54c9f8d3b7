"""What is done to one resource in the cloud: create, find, update, delete."""

from collections.abc import Mapping
from typing import Any

from sandbox.aws import state
from sandbox.aws.errors import IncompleteError, ProviderError
from sandbox.aws.operation import Operation
from sandbox.aws.schema import ResourceType
from sandbox.aws.session import tolerating_absence
from sandbox.aws.values import contains_unknown


def resolve(operation: Operation) -> None:
    """Take an import's id apart into the properties that it is made of."""
    each = operation.type
    names = list(dict.fromkeys(each.key.values()))
    if operation.state or len(names) == 1:
        return
    parts = operation.id.split(each.separator, len(names) - 1)
    if len(parts) != len(names):
        spelled = each.separator.join(names)
        raise ProviderError(f"{operation.id!r}: an id of {each.token} is {spelled}")
    found = dict(zip(names, parts, strict=True))
    operation.id = found.pop("id", "") or _id(each, found)
    operation.inputs = operation.state = found


def _id(each: ResourceType, known: Mapping[str, Any]) -> str:
    """Return a resource's id: by its key, as the creating call took or answered it."""
    for name, source in each.key.items():
        if source == "id":
            return str(known[name])
    parts = [str(known[source]) for source in each.key.values()]
    return each.id.format_map(known) or each.separator.join(parts)


def create(operation: Operation) -> dict[str, Any]:
    """Create the resource, wait until it can be used, and return its outputs."""
    each, inputs, tags = operation.type, operation.inputs, operation.tags
    parameters = operation.parameters()
    if each.tagged and tags:
        # As services spell it, the one way or the other.
        parameters |= {"Tags": tags, "tags": tags}
    made = operation.call(each.create, **parameters)
    operation.id = _id(each, {**inputs, **parameters, **made})
    try:
        operation.set_apart(inputs, parameters)
        return _outputs(operation)
    except ProviderError as error:
        # The resource exists: the engine has to know it, or the next run would make it again.
        known = state.planned(operation)
        told = {name: value for name, value in known.items() if not contains_unknown(value)}
        raise IncompleteError(operation.id, told, str(error)) from error


def _outputs(operation: Operation) -> dict[str, Any]:
    each = operation.type
    if not any(it.told and (it.output or it.computed) for it in each.properties.values()):
        return state.made(operation, {})
    found = operation.settled() or operation.read()
    if found is None:
        raise ProviderError(f"{each.token} {operation.id} was made, and is not there")
    return state.made(operation, found)


def find(operation: Operation) -> dict[str, Any] | None:
    """Return what the cloud says of the resource by its properties, or None when it is gone."""
    found = operation.read()
    if found is None:
        return None
    properties = state.observed(operation, found)
    if operation.type.tagged:
        tags = operation.listed_tags(properties.get("arn"))
        own = dict(tags.items() - operation.session.default_tags.items())
        properties |= {"tags": own or None, "tagsAll": tags}
    return properties


def update(operation: Operation) -> dict[str, Any]:
    """Apply the changes, and return the outputs."""
    each, changed = operation.type, operation.changed
    parameters = operation.parameters(changed)
    for call in each.update:
        if operation.takes(call) & parameters.keys():
            whole = call == each.create
            operation.call(call, **operation.parameters() if whole else parameters)
            operation.settled()
    operation.set_apart(changed, parameters)
    if changed & {"tags", "tagsAll"}:
        operation.update_tags()
    return _outputs(operation)


def delete(operation: Operation) -> None:
    """Delete the resource, and wait until it is gone; one that is gone already is deleted."""
    each = operation.type
    with tolerating_absence():
        operation.call(each.delete) if isinstance(each.delete, str) else each.delete(operation)
    if each.ready:
        operation.wait(lambda: operation.read() is None, f"{each.token} {operation.id} is gone")
