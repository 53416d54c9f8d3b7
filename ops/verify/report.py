"""What verification found, for a person, a program or a CI server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal
from xml.etree import ElementTree as ET

Outcome = Literal["passed", "failed", "skipped"]

_MARKS: dict[Outcome, str] = {"passed": "ok  ", "failed": "FAIL", "skipped": "skip"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that was verified: seconds it took, and why it failed or was skipped."""

    name: str
    outcome: Outcome
    seconds: float
    reason: str = ""


def line(step: Step) -> str:
    """A step as one line of text."""
    reason = f"  {step.reason}" if step.reason else ""
    return f"{_MARKS[step.outcome]} {step.seconds:7.3f} s  {step.name}{reason}"


def summary(steps: Iterable[Step]) -> str:
    """The last line: how many of each."""
    listed = list(steps)
    counts = {kind: sum(step.outcome == kind for step in listed) for kind in _MARKS}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def as_json(url: str, steps: Iterable[Step]) -> str:
    """One JSON object with all steps."""
    listed = list(steps)
    passed = not any(step.outcome == "failed" for step in listed)
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
        skipped=str(sum(step.outcome == "skipped" for step in listed)),
        time=f"{sum(step.seconds for step in listed):.3f}",
    )
    for step in listed:
        case = ET.SubElement(
            suite, "testcase", classname=url, name=step.name, time=f"{step.seconds:.3f}"
        )
        if step.outcome == "failed":
            ET.SubElement(case, "failure", message=step.reason)
        elif step.outcome == "skipped":
            ET.SubElement(case, "skipped", message=step.reason)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)
