"""The report for programs: JSON, SARIF 2.1.0 and JUnit XML."""

import json
from pathlib import Path
from typing import Any, Final

from policies.check.report import Found, Report
from policies.rule import Enforcement

_SARIF_LEVELS: Final = {Enforcement.MANDATORY: "error", Enforcement.ADVISORY: "warning"}
# How code hosts rank a result: https://docs.github.com/code-security (security-severity)
_SECURITY_SEVERITY: Final = {"low": "3.0", "medium": "5.5", "high": "8.0", "critical": "9.5"}


def as_json(report: Report) -> str:
    """Return the report as one JSON object."""
    document = {
        "passed": report.passes,
        "checked": list(report.checked),
        "resources": report.resources,
        "summary": {
            "mandatory": report.by_level[Enforcement.MANDATORY],
            "advisory": report.by_level[Enforcement.ADVISORY],
            "exempted": len(report.exempted),
            "later": len(report.put_off),
        },
        "violations": [
            {
                "rule": found.rule.name,
                "level": found.level.value,
                "severity": found.rule.severity.value,
                "resource": found.violation.resource.name,
                "type": found.violation.resource.type,
                "urn": found.violation.resource.urn,
                "inside": list(found.violation.resource.inside),
                "message": found.violation.message,
                "file": found.file.as_posix(),
                "line": found.line,
                "found": list(found.notes),
            }
            for found in report.found
        ],
        "exempted": [
            {"rule": entry.rule.name, "urn": entry.resource.urn, "reason": entry.reason}
            for entry in report.exempted
        ],
        "later": [
            {"rule": entry.rule.name, "urn": entry.resource.urn, "reason": entry.reason}
            for entry in report.put_off
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def as_sarif(report: Report) -> str:
    """Return the report as SARIF, with a suppressed result for whatever is exempted."""
    indexes = {rule.name: number for number, rule in enumerate(report.rules)}
    results = [_result(found, indexes) for found in report.found]
    results += [
        {
            "ruleId": entry.rule.name,
            "ruleIndex": indexes[entry.rule.name],
            "level": "note",
            "message": {"text": entry.resource.label},
            "suppressions": [{"kind": "external", "justification": entry.reason}],
        }
        for entry in report.exempted
    ]
    rules = [
        {
            "id": rule.name,
            "shortDescription": {"text": rule.stops},
            "fullDescription": {"text": rule.why},
            "help": {"text": rule.fix, "markdown": f"{rule.fix}\n\n[Source]({rule.link})"},
            "helpUri": rule.link,
            "properties": {"security-severity": _SECURITY_SEVERITY[rule.severity.value]},
        }
        for rule in report.rules
    ]
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "shared-websocket-policies", "rules": rules}},
                "results": results,
            }
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _result(found: Found, indexes: dict[str, int]) -> dict[str, Any]:
    return {
        "ruleId": found.rule.name,
        "ruleIndex": indexes[found.rule.name],
        "level": _SARIF_LEVELS[found.level],
        "message": {"text": found.violation.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _relative(found.file)},
                    "region": {"startLine": found.line},
                },
                "logicalLocations": [
                    {"fullyQualifiedName": found.violation.resource.urn, "kind": "resource"}
                ],
            }
        ],
    }


def _relative(file: Path) -> str:
    try:
        return file.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return file.resolve().as_uri()


def as_junit(report: Report) -> str:
    """Return the report as JUnit XML: a test case a rule, a failure a mandatory violation."""
    from xml.etree import ElementTree as ET

    failures = report.by_level[Enforcement.MANDATORY]
    suite = ET.Element(
        "testsuite",
        name="shared-websocket-policies",
        tests=str(len(report.rules)),
        failures=str(sum(1 for rule in report.rules if _of(report, rule.name, mandatory=True))),
        errors="0",
    )
    for rule in report.rules:
        case = ET.SubElement(suite, "testcase", classname="policies", name=rule.name)
        for found in _of(report, rule.name, mandatory=True)[:1]:
            failure = ET.SubElement(case, "failure", message=_printable(found.violation.message))
            everything = _of(report, rule.name, mandatory=True)
            failure.text = "\n".join(_printable(each.violation.message) for each in everything)
        advisories = _of(report, rule.name, mandatory=False)
        if advisories:
            output = ET.SubElement(case, "system-out")
            output.text = "\n".join(_printable(each.violation.message) for each in advisories)
    root = ET.Element("testsuites", failures=str(failures))
    root.append(suite)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _of(report: Report, rule: str, *, mandatory: bool) -> list[Found]:
    return [
        found
        for found in report.found
        if found.rule.name == rule and (found.level is Enforcement.MANDATORY) is mandatory
    ]


def _printable(text: str) -> str:
    """Leave out what XML cannot hold."""
    return "".join(character for character in text if character.isprintable() or character == "\n")
