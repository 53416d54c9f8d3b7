"""Shows an operation the way the CLI does: a tree, durations, differences, outputs, a summary."""

import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text

from sandbox.engine import values
from sandbox.engine.checkpoint import Resource
from sandbox.engine.goals import STACK_TYPE
from sandbox.engine.report import Reporter
from sandbox.stack import Diagnostic, Finding, Op, Request, Result, Step

_SIGNS = {
    Op.SAME: "  ",
    Op.CREATE: "+ ",
    Op.UPDATE: "~ ",
    Op.DELETE: "- ",
    Op.REPLACE: "+-",
    Op.CREATE_REPLACEMENT: "++",
    Op.DELETE_REPLACED: "--",
    Op.READ: "> ",
    Op.READ_REPLACEMENT: ">>",
    Op.IMPORT: "= ",
    Op.IMPORT_REPLACEMENT: "=>",
    Op.DISCARD: "< ",
    Op.DISCARD_REPLACED: "<<",
    Op.REMOVE_PENDING_REPLACE: "~ ",
    Op.REFRESH: "~ ",
}
_COLORS = {"+": "green", "~": "yellow", "-": "red", ">": "cyan", "=": "cyan", "<": "cyan"}
_DONE = {
    Op.CREATE: "created",
    Op.UPDATE: "updated",
    Op.DELETE: "deleted",
    Op.REPLACE: "replaced",
    Op.CREATE_REPLACEMENT: "created replacement",
    Op.DELETE_REPLACED: "deleted original",
    Op.READ: "read",
    Op.IMPORT: "imported",
    Op.DISCARD: "discarded",
}
_TITLES = {
    "preview": ("Previewing update", "to "),
    "update": ("Updating", ""),
    "refresh": ("Refreshing", ""),
    "destroy": ("Destroying", ""),
}
_PAST = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "replace": "replaced",
    "read": "read",
    "import": "imported",
    "discard": "discarded",
}
_SUMMARY_SIGNS = {
    "create": "+",
    "update": "~",
    "delete": "-",
    "replace": "+-",
    "read": ">",
    "import": "=",
    "discard": "<",
}


class Quiet:
    """Shows nothing."""

    def started(self, op: Op, new: Resource, old: Resource | None) -> None:
        """Nothing."""

    def ended(self, step: Step, old: Resource | None, new: Resource | None) -> None:
        """Nothing."""

    def message(self, diagnostic: Diagnostic) -> None:
        """Nothing."""

    def finding(self, finding: Finding) -> None:
        """Nothing."""

    def close(self, result: Result, reporter: Reporter) -> None:
        """Nothing."""


class Json(Quiet):
    """One document on standard output at the end, in the shape of `pulumi preview --json`."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._steps: list[dict[str, Any]] = []

    def ended(self, step: Step, old: Resource | None, new: Resource | None) -> None:
        """Keep the step."""
        entry: dict[str, Any] = {"op": step.op.value, "urn": step.urn}
        for key, state in (("oldState", old), ("newState", new)):
            if state is not None and not (key == "newState" and step.op is Op.DELETE):
                entry[key] = _redacted(state)
        if step.replacing:
            entry["replaceReasons"] = list(step.replacing)
        if step.changed:
            entry["diffReasons"] = list(step.changed)
        self._steps.append({**entry, "failed": True} if step.failed else entry)

    def close(self, result: Result, reporter: Reporter) -> None:
        """Print the document."""
        document = {
            "steps": self._steps,
            "diagnostics": [
                {"urn": d.urn, "message": d.message, "severity": d.severity}
                for d in result.diagnostics
            ],
            "policyFindings": [vars(finding) for finding in result.findings],
            "outputs": _redacted_outputs(reporter),
            "duration": round(result.duration * 1e9),
            "changeSummary": dict(result.summary),
            "exitCode": result.exit_code,
        }
        json.dump(document, self._out, indent=2)
        self._out.write("\n")


class Lines(Quiet):
    """The tree, line by line as steps end; colours only on a terminal."""

    def __init__(self, console: Console, request: Request, operation: str, stack: str) -> None:
        self._console = console
        self._operation = operation
        self._diff = request.diff
        title, _ = _TITLES[operation]
        self._write(f"{title} ({stack}):\n", style="bold magenta")

    def _write(self, text: str = "", style: str | None = None) -> None:
        self._console.print(Text(text, style=style or ""), soft_wrap=True)

    def started(self, op: Op, new: Resource, old: Resource | None) -> None:
        """Say what is about to happen, where it may take a while."""
        del old
        if self._operation != "preview" and new.custom and op in _DONE and op is not Op.REPLACE:
            if self._console.is_terminal:
                self._write(f" {_SIGNS[op]}  {new.resource_type} {new.name} ...", style="dim")

    def ended(self, step: Step, old: Resource | None, new: Resource | None) -> None:
        """Say what has happened, or would."""
        if step.op is Op.SAME and step.type != STACK_TYPE and not step.failed:
            return
        sign = _SIGNS[step.op]
        done = "" if self._operation == "preview" else f" {_DONE.get(step.op, step.op.value)}"
        if step.failed:
            done = " failed"
        elif step.op is Op.SAME:
            done = ""
        took = f" ({step.duration:.2f}s)" if done and step.duration >= 0.005 else ""
        what = f" [diff: {', '.join(_signed(step, old, new))}]" if step.changed else ""
        verb = f" {step.op.value}" if not done and step.op is not Op.SAME else ""
        depth = "    " if step.type != STACK_TYPE else ""
        line = f" {sign} {depth}{step.type} {step.name}{verb}{done}{took}{what}"
        self._write(line.rstrip(), style="red" if step.failed else _COLORS.get(sign[0]))
        if self._diff and step.op is not Op.SAME and step.op is not Op.CREATE_REPLACEMENT:
            self._properties(step, old, new)

    def _properties(self, step: Step, old: Resource | None, new: Resource | None) -> None:
        before = values.redact(old.inputs) if old and step.op is not Op.CREATE else {}
        after = values.redact(new.inputs) if new and step.op is not Op.DELETE else {}
        for line in differences(before, after):
            self._write("          " + line, style=_COLORS.get(line.lstrip()[:1]))

    def message(self, diagnostic: Diagnostic) -> None:
        """Say it at once; `close` repeats what matters."""
        if diagnostic.severity == "info":
            self._write(f"    {diagnostic.message}", style="dim")

    def close(self, result: Result, reporter: Reporter) -> None:
        """Show diagnostics, policies, outputs and the summary."""
        self._diagnostics(result)
        self._policies(result)
        self._outputs(reporter)
        self._summary(result)

    def _diagnostics(self, result: Result) -> None:
        told = [d for d in result.diagnostics if d.severity in {"warning", "error"}]
        if not told:
            return
        self._write("\nDiagnostics:", style="bold magenta")
        for urn in dict.fromkeys(d.urn for d in told):
            name = urn.split("::", 2)[-1].replace("::", " (") + ")" if urn else "pulumi"
            self._write(f"  {name}:", style="bold")
            for diagnostic in (d for d in told if d.urn == urn):
                text = diagnostic.message.replace("\n", "\n    ")
                style = "red" if diagnostic.severity == "error" else "yellow"
                self._write(f"    {diagnostic.severity}: {text}", style=style)

    def _policies(self, result: Result) -> None:
        if not result.findings:
            return
        self._write("\nPolicies:", style="bold magenta")
        packs = dict.fromkeys((f.pack, f.pack_version) for f in result.findings)
        for pack, version in packs:
            mine = [f for f in result.findings if (f.pack, f.pack_version) == (pack, version)]
            broken = any(f.level == "mandatory" for f in mine)
            self._write(f"    {'❌' if broken else '⚠️ '} {pack}@v{version.removeprefix('v')}")
            for f in sorted(mine, key=lambda f: (f.level != "mandatory", f.rule, f.urn)):
                parts = f.urn.split("::", 3)
                where = f"  ({parts[2].rsplit('$', 1)[-1]}: {parts[3]})" if len(parts) == 4 else ""
                style = "red" if f.level == "mandatory" else "yellow"
                label = f"[{f.level}]  {pack} v{version.removeprefix('v')}  {f.rule}{where}"
                self._write(f"        - {label}", style=style)
                for line in f.message.splitlines():
                    self._write(f"          {line}")

    def _outputs(self, reporter: Reporter) -> None:
        if reporter.stack_outputs is None:
            return
        new, old = reporter.stack_outputs
        before = values.redact(old.outputs) if old else {}
        after = values.redact(new.outputs)
        lines = differences(before, after) if before != after else []
        if not after and not lines:
            return
        self._write("\nOutputs:", style="bold magenta")
        changed = {line[2:].split(":", 1)[0] for line in lines if not line.startswith(" ")}
        same = {k: v for k, v in after.items() if k not in changed}
        for line in [*lines, *(f"  {key}: {_short(value)}" for key, value in same.items())]:
            self._write("    " + line, style=_COLORS.get(line[:1]))

    def _summary(self, result: Result) -> None:
        counts = {k: v for k, v in result.summary.items() if v}
        same = counts.pop("same", 0)
        self._write("\nResources:", style="bold magenta")
        preview = self._operation == "preview"
        for name, count in counts.items():
            verb = f"to {name}" if preview else _PAST[name]
            sign = _SUMMARY_SIGNS[name]
            self._write(f"    {sign} {count} {verb}", style=_COLORS.get(sign[0]))
        changes = sum(counts.values())
        ending = f"{same} unchanged" if same else "nothing to do"
        self._write(f"    {f'{changes} changes. ' if len(counts) > 1 else ''}{ending}")
        if not preview:
            seconds = timedelta(seconds=round(result.duration)).seconds
            self._write(f"\nDuration: {seconds}s" if seconds else "\nDuration: <1s")


def view_for(request: Request, operation: str, stack: str) -> Quiet:
    """Choose how an operation is shown."""
    if request.quiet:
        return Quiet()
    if request.json:
        return Json(sys.stdout)
    return Lines(Console(highlight=False), request, operation, stack)


def _signed(step: Step, old: Resource | None, new: Resource | None) -> list[str]:
    before, after = (old.inputs if old else {}), (new.inputs if new else {})
    signs = {(False, True): "+", (True, False): "-"}
    return [signs.get((k in before, k in after), "~") + k for k in step.changed]


def differences(old: Any, new: Any) -> list[str]:
    """List what differs, a line each: `+ key: value`, `- key`, `~ key: old => new`."""
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


def _short(value: Any) -> str:
    if values.is_unknown(value):
        return "[unknown]"
    value = values.transform(value, lambda v: "[unknown]" if values.is_unknown(v) else v)
    return json.dumps(value, ensure_ascii=False)


def _redacted(state: Resource) -> dict[str, Any]:
    data = state.to_json()
    redacted: Mapping[str, Any] = values.redact(
        {k: data[k] for k in ("inputs", "outputs") if k in data}
    )
    return {**data, **redacted}


def _redacted_outputs(reporter: Reporter) -> dict[str, Any]:
    return values.redact(reporter.stack_outputs[0].outputs) if reporter.stack_outputs else {}
