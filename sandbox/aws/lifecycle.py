"""What is done to one resource in the cloud: create, find, update, delete."""

from typing import Any

from sandbox.aws import state
from sandbox.aws.errors import IncompleteError, ProviderError
from sandbox.aws.operation import Operation, tolerating_absence
from sandbox.aws.values import contains_unknown


def resolve(operation: Operation) -> None:
    """Take an import's id apart into the properties that it is made of."""
    names = operation.type.import_id
    if operation.state or len(names) == 1:
        return
    parts = operation.id.split(operation.type.separator, len(names) - 1)
    if len(parts) != len(names):
        spelled = operation.type.separator.join(names)
        raise ProviderError(f"{operation.id!r}: an id of {operation.type.pulumi_name} is {spelled}")
    found = dict(zip(names, parts, strict=True))
    operation.id = found.pop("id", operation.id)
    operation.inputs = operation.state = found
    if operation.type.compose_id:
        operation.id = operation.type.compose_id(found)


def create(operation: Operation) -> dict[str, Any]:
    """Create the resource, wait until it can be used, and return its outputs."""
    each = operation.type
    operation.id = each.create(operation)
    try:
        if each.finish:
            each.finish(operation)
        return _outputs(operation)
    except ProviderError as error:
        # The resource exists: the engine has to know it, or the next run would make it again.
        known = state.planned(operation)
        told = {name: value for name, value in known.items() if not contains_unknown(value)}
        raise IncompleteError(operation.id, told, str(error)) from error


def _outputs(operation: Operation) -> dict[str, Any]:
    each = operation.type
    if not any(known.output or known.computed for known in each.properties.values() if known.aws):
        return state.made(operation, {})
    found = operation.read()
    if found is None:
        raise ProviderError(f"{each.pulumi_name} {operation.id} was made, and is not there")
    return state.made(operation, found)


def find(operation: Operation) -> dict[str, Any] | None:
    """Return what the cloud says of the resource by its properties, or None when it is gone."""
    found = operation.read()
    if found is None:
        return None
    properties = state.observed(operation, found)
    if operation.type.tagging:
        tags = operation.listed_tags(str(properties.get("arn", "")))
        defaults = operation.session.default_tags
        own = {key: value for key, value in tags.items() if defaults.get(key) != value}
        properties |= {"tags": own or None, "tagsAll": tags}
    return properties


def update(operation: Operation) -> dict[str, Any]:
    """Apply the changes, and return the outputs."""
    each = operation.type
    if each.update and operation.changed - {"tags", "tagsAll"}:
        each.update(operation)
    if operation.changed & {"tags", "tagsAll"}:
        operation.update_tags()
    return _outputs(operation)


def delete(operation: Operation) -> None:
    """Delete the resource; one that is gone already is deleted."""
    with tolerating_absence():
        operation.type.delete(operation)
