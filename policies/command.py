"""The command `python -m policies`: check without an engine, and generate the reference."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from policies import configuration
from policies.check.subject import Subject, UncheckableError, mapping, read_text
from policies.configuration import ConfigurationError

CLEAN: Final = 0
VIOLATED: Final = 1
NOT_CHECKED: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    given = _parser().parse_args(arguments)
    try:
        return given.run(given)
    except (UncheckableError, ConfigurationError) as error:
        print(f"could not check: {error}", file=sys.stderr)
        return NOT_CHECKED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m policies", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check",
        help="run the rules without an engine",
        description="Exit status: 0 nothing mandatory is violated, 1 it is, 2 could not check.",
    )
    subject = check.add_mutually_exclusive_group(required=True)
    subject.add_argument("--program", type=Path, metavar="DIR", help="a Pulumi Python program")
    subject.add_argument("--state", type=Path, metavar="FILE", help="an exported state")
    subject.add_argument("--template", type=Path, metavar="FILE", help="a CloudFormation template")
    subject.add_argument("--plan", type=Path, metavar="FILE", help="terraform show -json PLAN")
    check.add_argument("--stack", help="the program's stack, or the stage of anything else")
    check.add_argument("--config", type=Path, metavar="FILE", help="as --policy-pack-config")
    check.add_argument("--exemptions", type=Path, metavar="FILE", help="instead of the pack's own")
    check.add_argument("--look-ups", type=Path, metavar="FILE", help="JSON: a program's look-ups")
    check.add_argument("--format", choices=("text", "json", "sarif", "junit"), default="text")
    check.add_argument("--output", type=Path, metavar="FILE", help="instead of standard output")
    check.set_defaults(run=_check)
    docs = commands.add_parser("docs", help="generate docs/policies.md anew")
    docs.add_argument("--check", action="store_true", help="only say whether it is up to date")
    docs.set_defaults(run=_docs)
    return parser


def _check(given: argparse.Namespace) -> int:
    from policies.check.run import check
    from policies.exemptions import FILE, Exemptions
    from policies.table import RULES

    options, levels = {}, {}
    if given.config is not None:
        options, levels = configuration.from_document(read_text(given.config))
    if given.exemptions is not None and not given.exemptions.is_file():
        raise UncheckableError(f"there is no file {given.exemptions}")
    report = check(
        _subjects(given),
        exemptions=Exemptions((rule.name for rule in RULES), file=given.exemptions or FILE),
        options=options,
        levels=levels,
        stage=given.stack,
    )
    rendered = _rendered(report, given.format)
    if given.output is not None:
        given.output.write_text(rendered, encoding="utf-8")
    else:
        sys.stdout.write(rendered)
    return CLEAN if report.passes else VIOLATED


def _subjects(given: argparse.Namespace) -> Iterable[Subject]:
    if given.program is not None:
        from policies.check import program

        look_ups: dict[str, Any] = {}
        if given.look_ups is not None:
            look_ups = _json_object(given.look_ups)
        yield from program.subjects(given.program, given.stack, look_ups)
    elif given.state is not None:
        from policies.check import state

        yield state.subject(given.state)
    elif given.template is not None:
        from policies.check import template

        yield template.subject(given.template)
    else:
        from policies.check import terraform_plan

        yield terraform_plan.subject(given.plan)


def _json_object(file: Path) -> dict[str, Any]:
    import json

    try:
        document: Any = json.loads(read_text(file))
    except ValueError as error:
        raise UncheckableError(f"{file} is not JSON: {error}") from error
    if not mapping(document):
        raise UncheckableError(f"{file} is not a JSON object of look-ups")
    return mapping(document)


def _rendered(report: Any, format_: str) -> str:
    if format_ == "text":
        from policies.check import text

        return text.render(report)
    from policies.check import machine

    render = {"json": machine.as_json, "sarif": machine.as_sarif, "junit": machine.as_junit}
    return render[format_](report)


def _docs(given: argparse.Namespace) -> int:
    from policies import reference

    if given.check:
        return CLEAN if reference.is_current() else VIOLATED
    reference.write()
    return CLEAN
