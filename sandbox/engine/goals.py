"""What a program asks for: registrations as states to reach, their URNs and their former ones."""

import re
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message
from pulumi import RunError
from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest

from sandbox.engine import values
from sandbox.engine.state import STACK_TYPE, Resource

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
    "remote": "remote (a component that runs in a plugin)",
}


def refuse_unsupported(goal: RegisterResourceRequest) -> None:
    """Raise `RunError` for an option that this engine lacks."""
    for attribute, option in _REFUSED.items():
        given = getattr(goal, attribute)
        # An option that is a message is always there; an empty one was not given.
        if given.ByteSize() if isinstance(given, Message) else given:
            raise RunError(
                f"{goal.type} {goal.name!r}: the built-in engine does not support the "
                f"option {option}; ENGINE=pulumi does"
            )


def wanted(goal: RegisterResourceRequest, urn: str, parent: Resource | None) -> Resource:
    """Return the state that a registration asks for; some options are inherited from the parent."""
    timeouts = {key: getattr(goal.customTimeouts, key) for key in ("create", "update", "delete")}
    protect, retain = goal.protect, goal.retainOnDelete
    if parent is not None:
        protect = protect if goal.HasField("protect") else parent.protect
        retain = retain if goal.HasField("retainOnDelete") else parent.retain_on_delete
    return Resource(
        urn=urn,
        type=goal.type,
        custom=goal.custom,
        inputs=values.from_struct(goal.object),
        parent=goal.parent,
        protect=protect,
        dependencies=sorted(goal.dependencies),
        property_dependencies={
            key: sorted(entry.urns) for key, entry in goal.propertyDependencies.items()
        },
        additional_secret_outputs=list(goal.additionalSecretOutputs),
        custom_timeouts={key: _seconds(text) for key, text in timeouts.items() if text},
        import_id=goal.importId,
        retain_on_delete=retain,
        deleted_with=goal.deletedWith or (parent.deleted_with if parent else ""),
        ignore_changes=list(goal.ignoreChanges),
        replace_on_changes=list(goal.replaceOnChanges),
        delete_before_replace=(
            goal.deleteBeforeReplace if goal.deleteBeforeReplaceDefined else None
        ),
    )


def _seconds(duration: str) -> float:
    parts = re.findall(r"([\d.]+)(ms|us|ns|h|m|s)", duration)
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def make_urn(stack: str, project: str, parent: str, kind: str, name: str) -> str:
    """Put a URN together; a parent's types come before the resource's own, the stack's do not."""
    parents = parent.split("::")[2] if parent else ""
    qualified = f"{parents}${kind}" if parents and parents != STACK_TYPE else kind
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def former_urns(goal: RegisterResourceRequest, urn: str, renamed: dict[str, str]) -> Iterator[str]:
    """Yield every URN that a resource may have had; `renamed` maps URNs to those of the state."""
    own = [alias.urn or _specified(alias.spec, goal, urn, renamed) for alias in goal.aliases]
    yield from own
    old_parent = renamed.get(goal.parent)
    if old_parent is None:
        return
    # A parent that was renamed takes its children along, and those named after it change too.
    for each in (urn, *own):
        head, project, qualified, name = each.split("::", 3)
        parent_name = goal.parent.split("::", 3)[3]
        if name.startswith(parent_name):
            name = old_parent.split("::", 3)[3] + name[len(parent_name) :]
        stack = head.removeprefix("urn:pulumi:")
        yield make_urn(stack, project, old_parent, qualified.rsplit("$", 1)[-1], name)


def _specified(spec: Any, goal: RegisterResourceRequest, urn: str, renamed: dict[str, str]) -> str:
    stack, project = urn.removeprefix("urn:pulumi:").split("::")[:2]
    parent = renamed.get(spec.parentUrn, spec.parentUrn) or goal.parent
    return make_urn(
        spec.stack or stack,
        spec.project or project,
        "" if spec.noParent else parent,
        spec.type or goal.type,
        spec.name or goal.name,
    )
