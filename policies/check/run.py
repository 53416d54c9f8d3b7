"""One run of the check: read the subjects, run the rules, gather what they say."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from policies import configuration
from policies.check.report import Found, Report
from policies.check.subject import Subject
from policies.evaluation import Evaluation
from policies.exemptions import Exemptions
from policies.rule import Enforcement
from policies.table import RULES
from policies.verdict import Exempted, PutOff, Verdict, Violation, judge

_Key = tuple[str, str, str]


def check(
    subjects: Iterable[Subject],
    *,
    exemptions: Exemptions,
    options: Mapping[str, Mapping[str, Any]],
    levels: Mapping[str, Enforcement],
    stage: str | None = None,
) -> Report:
    """Check every subject; raises `ConfigurationError` and whatever reading a subject raises."""
    found: dict[_Key, Found] = {}
    exempted: dict[_Key, Exempted] = {}
    put_off: dict[_Key, PutOff] = {}
    checked: list[str] = []
    resources = 0
    rules = RULES
    for subject in subjects:
        own_stage, api_id = configuration.stage_of(subject.stack, subject.config)
        configured = configuration.configure(
            RULES,
            options,
            levels,
            exemptions=exemptions,
            stage=stage or own_stage,
            api_id=api_id,
        )
        rules = configured.rules
        evaluation = Evaluation(rules, configured.settings)
        for verdict in judge(_outcomes(evaluation, subject), exemptions):
            key = _key(verdict)
            if isinstance(verdict, Violation):
                notes = found[key].notes if key in found else ()
                found[key] = Found(
                    violation=verdict,
                    level=configured.levels[verdict.rule.name],
                    file=subject.file,
                    line=_line(subject, verdict),
                    notes=(*notes, subject.note) if subject.note else (),
                )
            elif isinstance(verdict, Exempted):
                exempted[key] = verdict
            else:
                put_off[key] = verdict
        checked.append(f"{subject.what} {subject.note}".strip())
        resources = max(resources, len(subject.registered))
    return Report(
        rules=rules,
        checked=checked,
        resources=resources,
        found=list(found.values()),
        exempted=list(exempted.values()),
        # What one reading could not decide, another has decided.
        put_off=[] if len(checked) > 1 else list(put_off.values()),
    )


def _outcomes(evaluation: Evaluation, subject: Subject) -> Iterable[Any]:
    for entry in subject.registered:
        if evaluation.wants(entry.resource.kind):
            yield from evaluation.check(entry.resource)
    yield from evaluation.check_stack(subject.registered)


def _key(verdict: Verdict) -> _Key:
    resource = verdict.resource
    said = verdict.message if isinstance(verdict, Violation) else ""
    return verdict.rule.name, f"{resource.urn}|{'|'.join(resource.inside)}", said


def _line(subject: Subject, violation: Violation) -> int:
    """Return the line where the resource begins in a template, as far as it can be told."""
    if subject.what != "template" or not violation.resource.name:
        return 1
    return _find(subject.file, violation.resource.name)


def _find(file: Path, logical_id: str) -> int:
    begins = re.compile(rf"\s*[\"']?{re.escape(logical_id)}[\"']?\s*:")
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if begins.match(line):
            return number
    return 1
