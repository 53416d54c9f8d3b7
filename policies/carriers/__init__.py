"""Resources that carry other resources inside: templates, Cloud Control, extensions, Kubernetes.

What is inside goes through the same rules as if the program had registered it. A document that
cannot be read stands in as a resource of the kind `OPAQUE`, so that a rule decides and nothing
passes unread.
"""

from collections.abc import Callable, Iterator
from typing import Final

from policies.carriers import cloud_control, cloudformation, kubernetes
from policies.kinds import CLOUD_CONTROL, EXTENSION, KUBERNETES_OBJECT, STACK, STACK_SET
from policies.model import Resource

_CARRIERS: Final[dict[str, Callable[[Resource], Iterator[Resource]]]] = {
    STACK: cloudformation.carried,
    STACK_SET: cloudformation.carried,
    CLOUD_CONTROL: cloud_control.carried_by_cloud_control,
    EXTENSION: cloud_control.carried_by_extension,
    KUBERNETES_OBJECT: kubernetes.carried,
}

KINDS: Final = frozenset(_CARRIERS)
MAX_LAYERS: Final = 10
"""Templates inside templates that are opened; what lies deeper is opaque."""


def opened(resource: Resource, layer: int = 0) -> Iterator[Resource]:
    """Yield the resource itself and everything that it carries, through every layer."""
    yield resource
    carrier = _CARRIERS.get(resource.kind or "")
    if carrier is None:
        return
    if layer >= MAX_LAYERS:
        yield resource.opaque(f"it is nested more than {MAX_LAYERS} layers deep", source="")
        return
    for inner in carrier(resource):
        yield from opened(inner, layer + 1)
