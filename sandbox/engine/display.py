"""Shows an operation the way the CLI does: steps as they end, differences, outputs, a summary."""

import json
from dataclasses import asdict
from typing import Any, TextIO

from rich.console import Console
from rich.status import Status
from rich.text import Text

from sandbox.engine import values
from sandbox.engine.state import STACK_TYPE, Resource
from sandbox.stack import Diagnostic, Finding, Op, Request, Result, Step

# A sign, and the word for it while it happens and when it has.
_OPS = {
    Op.SAME: ("", "", ""),
    Op.CREATE: ("+", "creating", "created"),
    Op.UPDATE: ("~", "updating", "updated"),
    Op.DELETE: ("-", "deleting", "deleted"),
    Op.REPLACE: ("+-", "replacing", "replaced"),
    Op.CREATE_REPLACEMENT: ("++", "creating replacement", "created replacement"),
    Op.DELETE_REPLACED: ("--", "deleting original", "deleted original"),
    Op.READ: (">", "reading", "read"),
    Op.READ_REPLACEMENT: (">>", "reading replacement", "read replacement"),
    Op.IMPORT: ("=", "importing", "imported"),
    Op.IMPORT_REPLACEMENT: ("=>", "importing replacement", "imported replacement"),
    Op.DISCARD: ("<", "discarding", "discarded"),
    Op.DISCARD_REPLACED: ("<<", "discarding original", "discarded original"),
    Op.REMOVE_PENDING_REPLACE: ("~", "completing replace of", "completed replace"),
    Op.REFRESH: ("~", "refreshing", "refreshed"),
}
_COLOURS = {"+": "green", "~": "yellow", "-": "red", ">": "cyan", "=": "cyan", "<": "cyan"}
_TITLES = {
    "preview": "Previewing update",
    "update": "Updating",
    "refresh": "Refreshing",
    "destroy": "Destroying",
}


def print_document(result: Result, out: TextIO) -> None:
    """Print a result as JSON; what is secret stays with `outputs --show-secrets`."""
    document = {**asdict(result), "changeSummary": dict(result.summary)}
    del document["outputs"], document["summary"]
    json.dump(document, out, indent=2)
    out.write("\n")


class Lines:
    """A line per step as it ends, indented by its parents; colours only on a terminal.

    It shows nothing where that was asked for, or where the result is to be one document.
    """

    def __init__(self, request: Request, operation: str, stack: str) -> None:
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
        """Show on a terminal what is being done."""
        self._depths[new.urn] = self._depths.get(new.parent, 0) + 1
        if self._status is not None and new.custom:
            self._running[new.urn] = f"{_OPS[op][1]} {new.name}"
            self._status.update(", ".join(list(self._running.values())[-3:]))

    def ended(self, step: Step, old: Resource | None, new: Resource) -> None:
        """Say what has happened, or would."""
        self._running.pop(step.urn, None)
        if step.op is Op.SAME and step.type != STACK_TYPE and not step.failed:
            return
        sign, _, past = _OPS[step.op]
        word = "failed" if step.failed else "" if not sign else step.op if self._preview else past
        took = f" ({step.duration:.2f}s)" if not self._preview and step.duration > 0.005 else ""
        marks = "".join(f" {key}" for key in _marked(step, old, new))
        indent = "   " * self._depths.get(step.urn, 1)
        line = f" {sign:2}{indent}{step.type} {step.name} {word}{took}"
        line += f" [diff:{marks}]" if marks else ""
        self._write(line.rstrip(), "red" if step.failed else _COLOURS.get(sign[:1]))
        if self._diff and sign and step.op is not Op.CREATE_REPLACEMENT:
            before = values.redact(old.inputs) if old and step.op is not Op.CREATE else {}
            after = values.redact(new.inputs) if step.op is not Op.DELETE else {}
            for text in differences(before, after):
                self._write(f"        {indent}{text}", _COLOURS.get(text.lstrip()[:1]))

    def message(self, diagnostic: Diagnostic) -> None:
        """Say at once what is only said; what is wrong stands together at the end."""
        if diagnostic.severity == "info":
            self._write(f"    {diagnostic.message}", "dim")

    def close(
        self,
        result: Result,
        packs: list[tuple[str, str, str]],
        stack: tuple[Resource, Resource | None] | None,
    ) -> None:
        """Show diagnostics, policies, outputs and the summary."""
        if self._status is not None:
            self._status.stop()
        self._diagnostics(result)
        self._policies(result.findings, packs)
        if stack is not None:
            self._outputs(*stack)
        self._resources(result)

    def _diagnostics(self, result: Result) -> None:
        told = [d for d in result.diagnostics if d.severity in {"warning", "error"}]
        if told:
            self._heading("Diagnostics")
        for urn in dict.fromkeys(d.urn for d in told):
            kind, _, name = _type_and_name(urn).rpartition(": ")
            self._write(f"  {kind} ({name}):" if name else "  pulumi:", "bold")
            for diagnostic in (d for d in told if d.urn == urn):
                text = diagnostic.message.replace("\n", "\n    ")
                style = "red" if diagnostic.severity == "error" else "yellow"
                self._write(f"    {diagnostic.severity}: {text}", style)

    def _policies(self, findings: tuple[Finding, ...], packs: list[tuple[str, str, str]]) -> None:
        if packs:
            self._heading("Policies")
        for name, version, folder in packs:
            mine = [f for f in findings if f.pack == name]
            levels = {f.level for f in mine}
            sign = "❌" if "mandatory" in levels else "⚠️ " if levels else "✅"
            self._write(f"    {sign} {name}@v{version.removeprefix('v')} (local: {folder})")
            told = {(f.rule, f.level != "remediate" and f.urn): f for f in reversed(mine)}
            for f in sorted(told.values(), key=lambda f: (f.level, f.rule), reverse=True):
                where = f"({_type_and_name(f.urn)})" if f.urn else ""
                if f.level == "remediate":
                    where = f"({sum(f.rule == other.rule for other in mine)} resources)"
                style = "red" if f.level == "mandatory" else "yellow"
                self._write(f"        - [{f.level}]  {f.rule}  {where}", style)
                for line in f.message.splitlines() if f.level != "remediate" else ():
                    self._write(f"          {line}")

    def _outputs(self, new: Resource, old: Resource | None) -> None:
        before, after = values.redact(old.outputs) if old else {}, values.redact(new.outputs)
        marked = {line[2:].split(":", 1)[0]: line[0] for line in differences(before, after)}
        if before or after:
            self._heading("Outputs")
        width = max(map(len, [*before, *after]), default=0)
        for key in sorted({*before, *after}):
            value = _short(after[key] if key in after else before[key])
            if key in before and key in after and before[key] != after[key]:
                value = f"{_short(before[key])} => {value}"
            sign = marked.get(key, " ") if before else " "
            self._write(f"  {sign} {key:{width}}: {value}", _COLOURS.get(sign))

    def _resources(self, result: Result) -> None:
        counts = {k: v for k, v in result.summary.items() if k != "same" and "-" not in k}
        same = result.summary.get("same", 0)
        self._heading("Resources")
        for name, count in counts.items():
            sign, _, past = _OPS[Op(name)]
            verb = f"to {name}" if self._preview else past
            self._write(f"    {sign:2} {count} {verb}", _COLOURS.get(sign[:1]))
        total = f"{sum(counts.values())} changes. " if len(counts) > 1 or (counts and same) else ""
        if total or same or not counts:
            self._write(f"    {total}{same} unchanged")
        if not self._preview:
            self._write(f"\nDuration: {result.duration:.1f}s")


def differences(old: Any, new: Any) -> list[str]:
    """List what differs, a line each: `+ key: value`, `- key: value`, `~ key: old => new`."""
    lines: list[str] = []
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in new:
            lines.append(f"- {key}: {_short(old[key])}")
        elif key not in old:
            lines.append(f"+ {key}: {_short(new[key])}")
        elif old[key] != new[key]:
            if isinstance(old[key], dict) and isinstance(new[key], dict):
                lines.append(f"~ {key}:")
                lines += ["    " + line for line in differences(old[key], new[key])]
            else:
                lines.append(f"~ {key}: {_short(old[key])} => {_short(new[key])}")
    return lines


def _marked(step: Step, old: Resource | None, new: Resource) -> list[str]:
    """Name the inputs that differ, each with a sign, where there is a before and an after."""
    if old is None or old is new or step.op is Op.SAME:
        return []
    changed = values.changed_keys(old.inputs, new.inputs)
    signs = {(False, True): "+", (True, False): "-"}
    return [signs.get((k in old.inputs, k in new.inputs), "~") + k for k in changed]


def _short(value: Any) -> str:
    value = values.transform(value, lambda v: "[unknown]" if values.is_unknown(v) else v)
    return value if value in ("[unknown]", "[secret]") else json.dumps(value, ensure_ascii=False)


def _type_and_name(urn: str) -> str:
    parts = urn.split("::", 3)
    return f"{parts[2].rsplit('$', 1)[-1]}: {parts[3]}" if len(parts) == 4 else ""
