"""What a program asks for, and by which URN: registrations in, goals out, URNs and aliases."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from pulumi.runtime.proto import resource_pb2

from sandbox.engine import values

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "ns": 1e-9}
# Options that the built-in engine does not have, by the name that a program gives them.
_REFUSED = {
    "transforms": "transforms",
    "hooks": "hooks",
    "replace_with": "replace_with",
    "replacement_trigger": "replacement_trigger",
    "envVarMappings": "env_var_mappings",
    "state_migrations": "state_migrations",
    "pluginDownloadURL": "plugin_download_url",
    "packageRef": "parameterized packages",
}


class UnsupportedError(Exception):
    """A program uses what the built-in engine does not have; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Alias:
    """One former identity of a resource; an empty part is the one that it has now."""

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent: str = ""
    no_parent: bool = False


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a registration asks for."""

    type: str
    name: str
    custom: bool
    inputs: values.Properties
    parent: str = ""
    provider: str = ""
    version: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    protect: bool | None = None
    retain_on_delete: bool | None = None
    delete_before_replace: bool | None = None
    deleted_with: str = ""
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[Alias, ...] = ()
    import_id: str = ""
    custom_timeouts: dict[str, float] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """The package whose provider manages the resource."""
        return self.type.split(":", 1)[0]

    @property
    def is_provider(self) -> bool:
        """Whether the resource is itself a provider."""
        return self.type.startswith(PROVIDER_PREFIX)


def goal_of(request: resource_pb2.RegisterResourceRequest) -> Goal:
    """Read a registration; raise `UnsupportedError` for an option that this engine lacks."""
    if request.remote:
        raise UnsupportedError(
            f"{request.name}: a component of the package {request.type.split(':')[0]!r} runs in a "
            "plugin, which the built-in engine does not support"
        )
    for attribute, option in _REFUSED.items():
        given = getattr(request, attribute)
        # An option that is a message is always there; an empty one was not given.
        if given.ByteSize() if isinstance(given, Message) else given:
            raise UnsupportedError(
                f"{request.type} {request.name!r}: the built-in engine does not support the "
                f"option {option}; ENGINE=pulumi does"
            )
    timeouts = request.customTimeouts
    return Goal(
        type=request.type,
        name=request.name,
        custom=request.custom,
        inputs=values.from_struct(request.object),
        parent=request.parent,
        provider=request.provider,
        version=request.version,
        dependencies=tuple(sorted(request.dependencies)),
        property_dependencies={
            key: sorted(entry.urns) for key, entry in request.propertyDependencies.items()
        },
        protect=request.protect if request.HasField("protect") else None,
        retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
        delete_before_replace=(
            request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None
        ),
        deleted_with=request.deletedWith,
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        aliases=(*map(_alias, request.aliases), *(Alias(urn=urn) for urn in request.aliasURNs)),
        import_id=request.importId,
        custom_timeouts={
            key: _seconds(text)
            for key in ("create", "update", "delete")
            if (text := getattr(timeouts, key))
        },
    )


def _alias(message: Any) -> Alias:
    if message.urn:
        return Alias(urn=message.urn)
    spec = message.spec
    return Alias(
        name=spec.name,
        type=spec.type,
        stack=spec.stack,
        project=spec.project,
        parent=spec.parentUrn,
        no_parent=spec.noParent,
    )


def _seconds(duration: str) -> float:
    parts = re.findall(r"([\d.]+)(ms|us|ns|h|m|s)", duration)
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def make_urn(stack: str, project: str, parent: str, kind: str, name: str) -> str:
    """Put a URN together; a parent's types come before the resource's own, the stack's do not."""
    parents = parent.split("::")[2] if parent else ""
    qualified = f"{parents}${kind}" if parents and parents != STACK_TYPE else kind
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def former_urns(goal: Goal, stack: str, project: str, renamed: dict[str, str]) -> Iterable[str]:
    """Yield every URN that a resource may have had; `renamed` maps URNs to those of the state."""
    own = [_collapse(alias, goal, stack, project, renamed) for alias in goal.aliases]
    yield from own
    old_parent = renamed.get(goal.parent)
    if old_parent is None:
        return
    # A parent that was renamed takes its children along, and those named after it change too.
    for urn in (make_urn(stack, project, goal.parent, goal.type, goal.name), *own):
        _, _, qualified, name = urn.split("::", 3)
        parent_name = goal.parent.split("::", 3)[3]
        if name.startswith(parent_name):
            name = old_parent.split("::", 3)[3] + name[len(parent_name) :]
        yield make_urn(stack, project, old_parent, qualified.rsplit("$", 1)[-1], name)


def _collapse(alias: Alias, goal: Goal, stack: str, project: str, renamed: dict[str, str]) -> str:
    if alias.urn:
        return alias.urn
    parent = renamed.get(alias.parent, alias.parent) or goal.parent
    return make_urn(
        alias.stack or stack,
        alias.project or project,
        "" if alias.no_parent else parent,
        alias.type or goal.type,
        alias.name or goal.name,
    )
