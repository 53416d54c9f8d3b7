"""The report for a person."""

from collections.abc import Iterator

from policies.check.report import Found, Report
from policies.rule import Enforcement


def render(report: Report) -> str:
    """Return the report as text: each violation with its way out, then one line of summary."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    for found in sorted(report.found, key=lambda found: found.level is not Enforcement.MANDATORY):
        yield from _violation(found)
    for exempted in report.exempted:
        yield f"exempted   {exempted.rule.name}  {exempted.resource.label}"
        yield f"           {exempted.reason}"
    for put_off in report.put_off:
        yield f"later      {put_off.rule.name}  {put_off.resource.label}"
        yield f"           {put_off.reason}"
    if report.found or report.exempted or report.put_off:
        yield ""
    yield _summary(report)


def _violation(found: Found) -> Iterator[str]:
    rule = found.rule
    notes = f"  ({', '.join(found.notes)})" if found.notes else ""
    yield f"{found.level.value:<10} {rule.name}  [{rule.severity.value}]{notes}"
    yield f"           {found.where}"
    problem, _, fix = found.violation.message.partition(" Instead: ")
    stated = problem.removeprefix(f"{found.where}: ").removesuffix(f". [{rule.name}]")
    yield f"           {stated}"
    yield f"           instead: {fix}"


def _summary(report: Report) -> str:
    mandatory = report.by_level[Enforcement.MANDATORY]
    advisory = report.by_level[Enforcement.ADVISORY]
    checked = "; ".join(report.checked)
    counts = (
        f"{mandatory} mandatory, {advisory} advisory, {len(report.exempted)} exempted, "
        f"{len(report.put_off)} to be decided when values are known"
    )
    verdict = "passed" if report.passes else "FAILED"
    return (
        f"{verdict}: {checked} ({report.resources} resources, {len(report.rules)} rules): {counts}"
    )
