"""Resources in CloudFormation's spelling that are created one by one, without a template."""

import json
from collections.abc import Iterator

from policies import wire
from policies.kinds import kind_of
from policies.model import Resource
from policies.values import UNKNOWN_PROPS, Props, as_block


def carried_by_cloud_control(resource: Resource) -> Iterator[Resource]:
    """Yield what a Cloud Control resource creates: `typeName`, and `desiredState` as JSON."""
    yield from _carried(resource, "typeName", _desired_state(resource))


def carried_by_extension(resource: Resource) -> Iterator[Resource]:
    """Yield what aws-native's extension resource creates: `type` and `properties`."""
    yield from _carried(resource, "type", resource.props.block("properties"))


def _carried(resource: Resource, type_name: str, props: Props) -> Iterator[Resource]:
    token = resource.props.text(type_name)
    if not isinstance(token, str) or not token:
        reason = f"its {type_name} is not known, so that it may create anything"
        yield resource.opaque(reason, source="")
        return
    yield resource.containing(token, kind_of(token), props, token)


def _desired_state(resource: Resource) -> Props:
    state = resource.props.get("desiredState")
    if isinstance(state, dict):
        return Props(state)
    if not isinstance(state, str):
        return UNKNOWN_PROPS
    try:
        read = json.loads(state)
    except (ValueError, RecursionError):
        return UNKNOWN_PROPS
    return as_block(wire.from_json(read))
