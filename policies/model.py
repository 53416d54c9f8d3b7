"""A resource as a rule sees it, wherever it comes from, and what a rule can say of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from policies.values import NO_PROPS, Props

OPAQUE: Final = "opaque document"
"""The kind that stands in for what could not be read; its props say `reason` and `source`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource: of a program, a state, a template or a plan."""

    type: str
    kind: str | None
    name: str
    urn: str
    props: Props
    inside: tuple[str, ...] = ()
    """Logical ids inside the template or document that carries it, outermost first."""

    @property
    def label(self) -> str:
        """How a person would point at it."""
        inside = " > ".join(self.inside)
        within = f" > {inside}" if inside else ""
        return f"{self.name or '(no name)'}{within} ({self.type})"

    def containing(self, type_: str, kind: str | None, props: Props, *inside: str) -> "Resource":
        """Return a resource that this one carries."""
        return Resource(
            type=type_,
            kind=kind,
            name=self.name,
            urn=self.urn,
            props=props,
            inside=(*self.inside, *inside),
        )

    def opaque(self, reason: str, *, source: str, inside: tuple[str, ...] = ()) -> "Resource":
        """Return the stand-in for something inside that cannot be read."""
        said = Props({"reason": reason, "source": source})
        return self.containing(self.type, OPAQUE, said, *inside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A resource of a finished preview or update, with what it hangs on."""

    resource: Resource
    dependencies: Sequence[str] = ()
    property_dependencies: dict[str, Sequence[str]] = field(
        default_factory=dict[str, Sequence[str]]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule holds against a resource."""

    resource: Resource
    problem: str
    """The fact, in the words of the resource: which property, which value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """What a rule cannot decide at preview, and will decide before anything is created."""

    resource: Resource
    reason: str


NOTHING: Final = Resource(type="", kind=None, name="", urn="", props=NO_PROPS)
"""What a finding about the pack itself points at."""
