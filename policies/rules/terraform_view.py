"""The ban inside Terraform modules, whose resources only a stack policy sees."""

from collections.abc import Iterable

from policies.kinds import API, terraform_view_kind
from policies.rule import MANDATORY, Outcome, Rule, Severity
from policies.rules import standalone_api
from policies.stack import Stack


def check_stack(stack: Stack) -> Iterable[Outcome]:
    """Refuse every API of a module that is not certainly an HTTP API."""
    for entry in stack.registered:
        if terraform_view_kind(entry.resource.type) == API:
            yield from standalone_api.check(entry.resource, stack.settings)


RULE = Rule(
    name="no-websocket-api-in-terraform-module",
    enforcement=MANDATORY,
    severity=Severity.CRITICAL,
    stops="No Terraform module creates a WebSocket API.",
    why="What a module creates is shown to policies only with the whole stack, at its end.",
    fix="use a module that attaches to the shared API, or define the resources in the program.",
    link="https://www.pulumi.com/docs/iac/using-pulumi/extending-pulumi/use-terraform-module/",
    check_stack=check_stack,
)
