"""What a stack consists of: resources as the checkpoint describes them, and all of them."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from sandbox.engine import values

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"


class Resource(
    msgspec.Struct, kw_only=True, eq=False, weakref=True, rename="camel", omit_defaults=True
):
    """One resource of the state, by Pulumi's own names; `extra` keeps what this engine ignores."""

    urn: str
    type: str
    custom: bool
    delete: bool = False
    id: str = ""
    inputs: values.Properties = {}
    outputs: values.Properties = {}
    parent: str = ""
    protect: bool = False
    external: bool = False
    dependencies: list[str] = []
    init_errors: list[str] = []
    provider: str = ""
    property_dependencies: dict[str, list[str] | None] = {}
    pending_replacement: bool = False
    additional_secret_outputs: list[str] = []
    aliases: list[str] = []
    custom_timeouts: dict[str, float] = {}
    import_id: str = msgspec.field(name="importID", default="")
    retain_on_delete: bool = False
    deleted_with: str = ""
    created: str = ""
    modified: str = ""
    ignore_changes: list[str] = []
    replace_on_changes: list[str] = []
    extra: dict[str, Any] = {}
    # Of one registration, not of the state.
    delete_before_replace: bool | None = None

    @property
    def name(self) -> str:
        """The resource's own name."""
        return self.urn.split("::", 3)[-1]

    @property
    def is_provider(self) -> bool:
        """Whether the resource is itself a provider."""
        return self.type.startswith(PROVIDER_PREFIX)

    @property
    def reference(self) -> str:
        """How the resources that a provider manages refer to it: `<urn>::<id>`."""
        return f"{self.urn}::{self.id}"

    @property
    def provider_urn(self) -> str:
        """The URN of the provider that manages the resource."""
        return self.provider.rpartition("::")[0]

    @property
    def edges(self) -> set[str]:
        """URNs of everything that must exist before this resource and outlive it."""
        found = {self.parent, self.deleted_with, self.provider_urn, *self.dependencies}
        return found.union(*filter(None, self.property_dependencies.values())) - {""}

    def copy(self, **changes: Any) -> "Resource":
        """Return another state of the same resource."""
        return msgspec.structs.replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Give the checkpoint's form; what is empty is left out."""
        found = msgspec.to_builtins(self.copy(extra={}, delete_before_replace=None))
        return {**found, **self.extra}


FIELDS = frozenset(field.encode_name for field in msgspec.structs.fields(Resource))


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a checkpoint says about a stack, secrets in clear."""

    resources: tuple[Resource, ...] = ()
    pending: tuple[tuple[str, Resource], ...] = ()

    @property
    def outputs(self) -> values.Properties:
        """What the stack exports."""
        stacks = [each for each in self.resources if each.type == STACK_TYPE and not each.delete]
        return stacks[0].outputs if stacks else {}


def now() -> str:
    """Return the time as checkpoints write it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
