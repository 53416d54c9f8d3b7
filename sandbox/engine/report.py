"""What an operation tells while it runs: kept for its result, and shown in the CLI's manner."""

import threading
from collections import Counter
from time import monotonic

from rich.console import Console
from rich.status import Status
from rich.text import Text

from sandbox.engine import values
from sandbox.engine.display import COLOURS, OPS, differences, marked, short, type_and_name
from sandbox.engine.providers import Diff
from sandbox.engine.state import STACK_TYPE, Resource
from sandbox.stack import Diagnostic, Finding, Op, Request, Result, Step

_TITLES = {
    "preview": "Previewing update",
    "update": "Updating",
    "refresh": "Refreshing",
    "destroy": "Destroying",
}
# What the CLI's change summary counts, and under which name.
_SUMMARY = {
    **{op: op.value for op in (Op.CREATE, Op.UPDATE, Op.DELETE, Op.REPLACE, Op.SAME, Op.DISCARD)},
    **dict.fromkeys((Op.READ, Op.READ_REPLACEMENT), "read"),
    **dict.fromkeys((Op.IMPORT, Op.IMPORT_REPLACEMENT), "import"),
}


class Report:
    """Steps, findings and messages, which may come from any thread, and a line for each.

    It shows nothing where that was asked for, or where the result is to be one document; colours
    and what is being done appear only on a terminal.
    """

    def __init__(self, request: Request, operation: str, stack: str) -> None:
        self.findings: list[Finding] = []
        self.packs: list[tuple[str, str, str]] = []
        self.stack_outputs: tuple[Resource, Resource | None] | None = None
        self._steps: list[Step] = []
        self._diagnostics: list[Diagnostic] = []
        self._began = monotonic()
        self._lock = threading.Lock()
        self._console = Console(highlight=False, quiet=request.quiet or request.json)
        self._preview = operation == "preview"
        self._diff = request.diff
        self._depths = {"": 0}
        self._running: dict[str, str] = {}
        self._status: Status | None = None
        self._write(f"{_TITLES[operation]} ({stack}):\n", "bold magenta")
        if self._console.is_terminal and not (self._console.quiet or self._preview):
            self._status = self._console.status("starting")
            self._status.start()

    def _write(self, text: str = "", style: str | None = None) -> None:
        if not self._console.quiet:
            self._console.print(Text(text, style=style or ""), soft_wrap=True)

    def _heading(self, text: str) -> None:
        self._write(f"\n{text}:", "bold magenta")

    def started(self, op: Op, new: Resource) -> None:
        """Tell that a step begins."""
        with self._lock:
            self._depths[new.urn] = self._depths.get(new.parent, 0) + 1
            if self._status is not None and new.custom and not _is_default_provider(new):
                self._running[new.urn] = f"{OPS[op][1]} {new.name}"
                self._status.update(", ".join(list(self._running.values())[-3:]))

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
                self._steps.append(step)
                self._show(step, old, new)

    def _show(self, step: Step, old: Resource | None, new: Resource) -> None:
        self._running.pop(step.urn, None)
        if step.op is Op.SAME and step.type != STACK_TYPE and not step.failed:
            return
        sign, _, past = OPS[step.op]
        word = "failed" if step.failed else "" if not sign else step.op if self._preview else past
        took = f" ({step.duration:.2f}s)" if not self._preview and step.duration > 0.005 else ""
        marks = "".join(f" {key}" for key in marked(step, old, new))
        indent = "   " * self._depths.get(step.urn, 1)
        line = f" {sign:2}{indent}{step.type} {step.name} {word}{took}"
        line += f" [diff:{marks}]" if marks else ""
        self._write(line.rstrip(), "red" if step.failed else COLOURS.get(sign[:1]))
        if self._diff and sign and step.op is not Op.CREATE_REPLACEMENT:
            before = values.redact(old.inputs) if old and step.op is not Op.CREATE else {}
            after = values.redact(new.inputs) if step.op is not Op.DELETE else {}
            for text in differences(before, after):
                self._write(f"        {indent}{text}", COLOURS.get(text.lstrip()[:1]))

    def message(self, severity: str, message: str, urn: str = "") -> None:
        """Tell something in words; what is wrong is shown together at the end."""
        with self._lock:
            self._diagnostics.append(Diagnostic(severity=severity, message=message, urn=urn))
            if severity == "info":
                self._write(f"    {message}", "dim")

    def line(self, text: str) -> None:
        """Tell what a child process has printed."""
        self.message("info", text)

    def close(self, *, ok: bool, outputs: values.Properties) -> Result:
        """Show diagnostics, policies, outputs and the summary; return how it all ended."""
        counted = [step.op for step in self._steps if step.op in _SUMMARY and not step.failed]
        result = Result(
            exit_code=0 if ok else 1,
            summary=dict(Counter(_SUMMARY[op] for op in counted)),
            steps=tuple(self._steps),
            findings=tuple(self.findings),
            diagnostics=tuple(self._diagnostics),
            outputs=values.reveal(outputs),
            duration=monotonic() - self._began,
        )
        if self._status is not None:
            self._status.stop()
        self._show_diagnostics()
        self._show_policies()
        if self.stack_outputs is not None:
            self._show_outputs(*self.stack_outputs)
        self._show_resources(result)
        return result

    def _show_diagnostics(self) -> None:
        told = [d for d in self._diagnostics if d.severity in {"warning", "error"}]
        if told:
            self._heading("Diagnostics")
        for urn in dict.fromkeys(d.urn for d in told):
            kind, _, name = type_and_name(urn).rpartition(": ")
            self._write(f"  {kind} ({name}):" if name else "  pulumi:", "bold")
            for diagnostic in (d for d in told if d.urn == urn):
                text = diagnostic.message.replace("\n", "\n    ")
                style = "red" if diagnostic.severity == "error" else "yellow"
                self._write(f"    {diagnostic.severity}: {text}", style)

    def _show_policies(self) -> None:
        if self.packs:
            self._heading("Policies")
        for name, version, folder in self.packs:
            mine = [f for f in self.findings if f.pack == name]
            levels = {f.level for f in mine}
            sign = "❌" if "mandatory" in levels else "⚠️ " if levels else "✅"
            self._write(f"    {sign} {name}@v{version.removeprefix('v')} (local: {folder})")
            told = {(f.rule, f.level != "remediate" and f.urn): f for f in reversed(mine)}
            for f in sorted(told.values(), key=lambda f: (f.level, f.rule), reverse=True):
                where = f"({type_and_name(f.urn)})" if f.urn else ""
                if f.level == "remediate":
                    where = f"({sum(f.rule == other.rule for other in mine)} resources)"
                style = "red" if f.level == "mandatory" else "yellow"
                self._write(f"        - [{f.level}]  {f.rule}  {where}", style)
                for line in f.message.splitlines() if f.level != "remediate" else ():
                    self._write(f"          {line}")

    def _show_outputs(self, new: Resource, old: Resource | None) -> None:
        before, after = values.redact(old.outputs) if old else {}, values.redact(new.outputs)
        signs = {line[2:].split(":", 1)[0]: line[0] for line in differences(before, after)}
        if before or after:
            self._heading("Outputs")
        width = max(map(len, [*before, *after]), default=0)
        for key in sorted({*before, *after}):
            value = short(after[key] if key in after else before[key])
            if key in before and key in after and before[key] != after[key]:
                value = f"{short(before[key])} => {value}"
            sign = signs.get(key, " ") if before else " "
            self._write(f"  {sign} {key:{width}}: {value}", COLOURS.get(sign))

    def _show_resources(self, result: Result) -> None:
        counts = {k: v for k, v in result.summary.items() if k != "same"}
        same = result.summary.get("same", 0)
        self._heading("Resources")
        for name, count in counts.items():
            sign, _, past = OPS[Op(name)]
            verb = f"to {name}" if self._preview else past
            self._write(f"    {sign:2} {count} {verb}", COLOURS.get(sign[:1]))
        total = f"{sum(counts.values())} changes. " if len(counts) > 1 or (counts and same) else ""
        if total or same or not counts:
            self._write(f"    {total}{same} unchanged")
        if not self._preview:
            self._write(f"\nDuration: {result.duration:.1f}s")


def _is_default_provider(resource: Resource) -> bool:
    return resource.is_provider and resource.name.split("_")[0] == "default"
