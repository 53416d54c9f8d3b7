"""Cloud resources that a controller in a Kubernetes cluster creates: ACK and Crossplane."""

from collections.abc import Iterator

from policies.kinds import kubernetes_kind
from policies.model import Resource
from policies.values import Props


def carried(resource: Resource) -> Iterator[Resource]:
    """Yield the cloud resource behind an object, and behind each item of a list of objects."""
    kind = kubernetes_kind(resource.type)
    if kind is None:
        return
    items = resource.props.blocks("items")
    for number, item in enumerate(items):
        yield resource.containing(resource.type, kind, _specification(item), f"items[{number}]")
    if not items:
        yield resource.containing(resource.type, kind, _specification(resource.props))


def _specification(props: Props) -> Props:
    spec = props.block("spec")
    # Crossplane keeps the provider's properties one level deeper than ACK does.
    return spec.block("forProvider") if "forProvider" in spec else spec
