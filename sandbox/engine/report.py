"""What an operation tells while it runs: kept for its result, and passed on to whoever shows it."""

import threading
from time import monotonic

from sandbox.engine.display import Lines
from sandbox.engine.providers import Diff
from sandbox.engine.state import Resource
from sandbox.stack import Diagnostic, Finding, Op, Step

# What the CLI's change summary counts, and under which name.
_SUMMARY = {
    **{op: op.value for op in (Op.CREATE, Op.UPDATE, Op.DELETE, Op.REPLACE, Op.SAME, Op.DISCARD)},
    **dict.fromkeys((Op.READ, Op.READ_REPLACEMENT), "read"),
    **dict.fromkeys((Op.IMPORT, Op.IMPORT_REPLACEMENT), "import"),
}


class Reporter:
    """Collects steps, findings and messages, and shows them, one at a time from any thread."""

    def __init__(self, view: Lines) -> None:
        self.steps: list[Step] = []
        self.findings: list[Finding] = []
        self.diagnostics: list[Diagnostic] = []
        self.packs: list[tuple[str, str, str]] = []
        self.stack_outputs: tuple[Resource, Resource | None] | None = None
        self._view = view
        self._lock = threading.Lock()

    def started(self, op: Op, new: Resource) -> None:
        """Tell that a step begins."""
        with self._lock:
            if not _is_default_provider(new):
                self._view.started(op, new)

    def ended(
        self,
        op: Op,
        old: Resource | None,
        new: Resource,
        diff: Diff,
        *,
        began: float,
        failed: bool = False,
    ) -> None:
        """Tell that a step has ended. Default providers are the engine's own affair."""
        step = Step(
            op=op,
            urn=new.urn,
            type=new.type,
            changed=diff.changed if diff.changes else (),
            replacing=diff.replaces,
            failed=failed,
            duration=monotonic() - began,
        )
        with self._lock:
            if not _is_default_provider(new) or failed:
                self.steps.append(step)
                self._view.ended(step, old, new)

    def message(self, severity: str, message: str, urn: str = "") -> None:
        """Tell something in words."""
        diagnostic = Diagnostic(severity=severity, message=message, urn=urn)
        with self._lock:
            self.diagnostics.append(diagnostic)
            self._view.message(diagnostic)

    def line(self, text: str) -> None:
        """Tell what a child process has printed."""
        self.message("info", text)

    def summary(self) -> dict[str, int]:
        """Count resources per operation, as the CLI's last lines do."""
        counts: dict[str, int] = {}
        for step in self.steps:
            if not step.failed and (name := _SUMMARY.get(step.op)):
                counts[name] = counts.get(name, 0) + 1
        return counts


def _is_default_provider(resource: Resource) -> bool:
    return resource.is_provider and resource.name.split("_")[0] == "default"
