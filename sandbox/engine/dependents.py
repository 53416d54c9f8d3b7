"""What a replacement that begins with a delete takes along: resources that its outputs replace."""

from collections.abc import Iterable
from dataclasses import replace

from sandbox.engine import values
from sandbox.engine.providers import Diff
from sandbox.engine.state import Resource
from sandbox.engine.steps import Steps


def replaced_with(
    root: Resource, waiting: Iterable[Resource], steps: Steps
) -> list[tuple[Resource, tuple[str, ...]]]:
    """Find which of those that wait for their turn a change of the root's outputs replaces.

    They come in the order of the state, each with the properties that make it necessary.
    """
    replaced = {root.urn}
    found: list[tuple[Resource, tuple[str, ...]]] = []
    for resource in waiting:
        keys = _keys_replaced_by(resource, replaced, steps)
        if keys is not None:
            replaced.add(resource.urn)
            found.append((resource, keys))
    return found


def _keys_replaced_by(
    resource: Resource, replaced: set[str], steps: Steps
) -> tuple[str, ...] | None:
    """Say which properties replace a resource once others have been; None if none does."""
    if not resource.custom or resource.external:
        return None
    if resource.provider_urn in replaced or resource.deleted_with in replaced:
        return ()
    edges = resource.property_dependencies
    inputs = {
        key: values.UNKNOWN if replaced.intersection(edges.get(key) or ()) else value
        for key, value in resource.inputs.items()
    }
    if inputs == resource.inputs:
        return None
    diff = steps.manager_of(resource).diff(resource, inputs, resource.ignore_changes)
    return with_forced(diff, resource.replace_on_changes).replaces or None


def with_forced(diff: Diff, replace_on_changes: list[str]) -> Diff:
    """Add to what replaces the changes that the program wants to."""
    paths = [values.parse_path(path) for path in replace_on_changes]
    forced = [
        key
        for key in diff.changed
        if any(values.contains_path(path, values.parse_path(key)) for path in paths)
    ]
    return replace(diff, replaces=tuple(dict.fromkeys([*diff.replaces, *forced])))
