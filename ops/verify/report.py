"""What verification found, for a person, a program or a CI server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Literal
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.markup import escape

Outcome = Literal["passed", "failed", "throttled", "skipped"]
"""`throttled`: AWS would not be asked so often, and nobody can tell whether the step holds."""

_MARKS: dict[Outcome, str] = {
    "passed": "[green]✓[/]",
    "failed": "[red]✗[/]",
    "throttled": "[yellow]?[/]",
    "skipped": "-",
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that was verified: seconds it took, and what was seen or why it does not hold."""

    name: str
    outcome: Outcome
    seconds: float
    note: str = ""


class Screen:
    """A line for each step; on a terminal also what is being tried. Silent unless `aloud`."""

    def __init__(self, *, aloud: bool) -> None:
        self._console = Console(highlight=False, soft_wrap=True, quiet=not aloud)

    def trying(self, name: str) -> AbstractContextManager[object]:
        """Say what is being tried, while it is."""
        if self._console.is_terminal and not self._console.quiet:
            return self._console.status(f"{name} ...")
        return nullcontext()

    def show(self, step: Step) -> None:
        """A step as one line."""
        note = f"  {escape(step.note)}" if step.note else ""
        self._console.print(
            f"{_MARKS[step.outcome]} {step.name:<42} [dim]{step.seconds:6.2f} s[/]{note}"
        )

    def sum_up(self, steps: Iterable[Step]) -> None:
        """The last line: whether it is proven, and if not, which steps say so."""
        listed = list(steps)
        seconds = sum(step.seconds for step in listed)
        failed = [step.name for step in listed if step.outcome == "failed"]
        throttled = [step.name for step in listed if step.outcome == "throttled"]
        skipped = sum(step.outcome == "skipped" for step in listed)
        if failed:
            text = f"Not proven: {len(failed)} of {len(listed)} steps failed: {'; '.join(failed)}"
            if throttled:
                text += f"; and throttled, so that nobody can tell: {'; '.join(throttled)}"
            self._console.print(f"[bold red]{text}[/]")
            return
        if throttled:
            text = (
                f"Not proven, nor found broken: {len(throttled)} of {len(listed)} steps were "
                f"throttled: {'; '.join(throttled)}"
            )
            self._console.print(f"[bold yellow]{text}[/]")
            return
        also = f", {skipped} skipped" if skipped else ""
        text = f"Proven: {len(listed) - skipped} steps hold{also} ({seconds:.1f} s)"
        self._console.print(f"[bold green]{text}[/]")


def as_json(url: str, steps: Iterable[Step]) -> str:
    """One JSON object with all steps."""
    listed = list(steps)
    passed = all(step.outcome in {"passed", "skipped"} for step in listed)
    document = {"url": url, "passed": passed, "steps": [asdict(step) for step in listed]}
    return json.dumps(document, indent=2)


def as_junit(url: str, steps: Iterable[Step]) -> str:
    """A JUnit report with a test case per step."""
    listed = list(steps)
    suite = ET.Element(
        "testsuite",
        name="verify",
        tests=str(len(listed)),
        failures=str(sum(step.outcome == "failed" for step in listed)),
        errors=str(sum(step.outcome == "throttled" for step in listed)),
        skipped=str(sum(step.outcome == "skipped" for step in listed)),
        time=f"{sum(step.seconds for step in listed):.3f}",
    )
    for step in listed:
        case = ET.SubElement(
            suite, "testcase", classname=url, name=step.name, time=f"{step.seconds:.3f}"
        )
        if step.outcome == "failed":
            ET.SubElement(case, "failure", message=step.note)
        elif step.outcome == "throttled":
            ET.SubElement(case, "error", message=step.note)
        elif step.outcome == "skipped":
            ET.SubElement(case, "skipped", message=step.note)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)
