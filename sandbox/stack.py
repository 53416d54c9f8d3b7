"""What every engine of the sandbox takes and gives: a stack, a request, a result, and `Engine`.

Two engines have this shape: `sandbox.engine.BuiltinEngine`, and `sandbox.pulumi_cli.PulumiCli`,
which drives the real `pulumi`. Whoever calls them need not know which one it holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A Pulumi program and where its configuration, its state and its surroundings come from.

    `home` is the sandbox's own folder; an engine keeps its state below it and nowhere else.
    `config_file` is `Pulumi.<name>.yaml` beside the program unless given. `environment` is what the
    program, the provider and the packs see in place of every `AWS_*` variable of the caller.
    """

    name: str
    cwd: Path
    home: Path
    config_file: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What one operation is asked to do, beyond the stack that it is about.

    `targets` are URNs or globs over URNs. `json` puts one JSON document on standard output and
    everything else on standard error; `quiet` shows nothing at all, for tests.
    """

    policy_packs: tuple[Path, ...] = ()
    policy_pack_configs: tuple[Path, ...] = ()
    targets: tuple[str, ...] = ()
    diff: bool = False
    json: bool = False
    quiet: bool = False
    parallel: int = 16


class Op(StrEnum):
    """What a step does to one resource, in the words of Pulumi's own events."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REPLACE = "replace"
    CREATE_REPLACEMENT = "create-replacement"
    DELETE_REPLACED = "delete-replaced"
    READ = "read"
    READ_REPLACEMENT = "read-replacement"
    DISCARD = "discard"
    DISCARD_REPLACED = "discard-replaced"
    REMOVE_PENDING_REPLACE = "remove-pending-replace"
    REFRESH = "refresh"
    IMPORT = "import"
    IMPORT_REPLACEMENT = "import-replacement"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step, in the order in which the engine took it.

    `changed` names the properties that differ, `replacing` those of them that force a replacement;
    `failed` is set when the provider refused.
    """

    op: Op
    urn: str
    type: str
    changed: tuple[str, ...] = ()
    replacing: tuple[str, ...] = ()
    failed: bool = False
    duration: float = 0.0

    @property
    def name(self) -> str:
        """The resource's own name, the last part of its URN."""
        return self.urn.split("::", 3)[-1]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A violation that a pack reported, or a remediation that it applied (`level` remediate)."""

    pack: str
    pack_version: str
    rule: str
    level: str
    message: str
    urn: str = ""
    severity: str = ""


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """A message that the operation gave: `severity` is debug, info, warning or error."""

    severity: str
    message: str
    urn: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """How an operation ended: `exit_code` is the command's own, `duration` is in seconds.

    `summary` counts resources per operation as Pulumi's change summary does (`create`, `update`,
    `delete`, `replace`, `same`); `outputs` are the stack's, secrets in clear.
    """

    exit_code: int
    summary: Mapping[str, int] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    duration: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether everything that was asked for was done."""
        return self.exit_code == 0

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that change something, without those that leave a resource as it is."""
        return tuple(step for step in self.steps if step.op is not Op.SAME)


class EngineError(Exception):
    """The operation could not begin or go on; the text says why and what to do about it."""


class Engine(Protocol):
    """Runs a stack's program. An operation that fails says so in its result and shows why.

    `EngineError` is raised by what has no result to say it in (`outputs`, `export`, `import_`), and
    nothing asks for confirmation: that is the caller's business.
    """

    name: str

    def preview(self, stack: Stack, request: Request) -> Result:
        """Say what `up` would do, without doing it."""
        ...

    def up(self, stack: Stack, request: Request) -> Result:
        """Bring the stack to what its program says."""
        ...

    def refresh(self, stack: Stack, request: Request) -> Result:
        """Bring the state to what the provider finds."""
        ...

    def destroy(self, stack: Stack, request: Request) -> Result:
        """Delete every resource of the stack."""
        ...

    def outputs(self, stack: Stack, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the stack's outputs; a secret reads `[secret]` unless shown."""
        ...

    def export(self, stack: Stack) -> dict[str, Any]:
        """Return the state in the form of `pulumi stack export`."""
        ...

    def import_(self, stack: Stack, deployment: Mapping[str, Any]) -> None:
        """Replace the state by one that `export` or `pulumi stack export` gave."""
        ...
