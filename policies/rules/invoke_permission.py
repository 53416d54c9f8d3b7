"""Who may invoke a Lambda: a service only on behalf of a named source."""

import re
from collections.abc import Iterable
from typing import Final

from policies.kinds import PERMISSION
from policies.model import Deferred, Finding, Resource
from policies.rule import MANDATORY, Outcome, Rule, Severity
from policies.settings import Settings
from policies.values import Unknown

_API_GATEWAY: Final = "apigateway.amazonaws.com"
_SERVICE: Final = re.compile(r"(\*|.*\.amazonaws\.com(\.cn)?)", re.IGNORECASE)


def check(resource: Resource, settings: Settings) -> Iterable[Outcome]:
    """Refuse a service without a source, and a source on the shared API that is every route."""
    principal = resource.props.text("principal")
    source = resource.props.text("sourceArn")
    named = source if source not in {None, "", "*"} else None
    others = ("sourceAccount", "principalOrgId", "principalOrgID", "eventSourceToken")
    bounded = named is not None or any(resource.props.text(name) for name in others)
    if isinstance(principal, Unknown):
        if not bounded:
            yield Deferred(resource=resource, reason="its principal is not known yet")
        return
    if principal is not None and not _SERVICE.fullmatch(principal):
        return
    gateway = principal is not None and principal.casefold() == _API_GATEWAY
    if not bounded or (gateway and named is None):
        who = principal or "anyone"
        problem = f"{who} may invoke the function from any account, for any API or rule"
        yield Finding(resource=resource, problem=problem)
    elif gateway and isinstance(named, str):
        yield from _check_route(resource, named, settings)


def _check_route(resource: Resource, source: str, settings: Settings) -> Iterable[Outcome]:
    api, _, path = source.split(":", 5)[-1].partition("/")
    if "*" in api or "?" in api or not source.startswith("arn:"):
        yield Finding(resource=resource, problem=f"its source {source} names no API")
    elif api in settings.platform.api_ids and path.partition("/")[2].strip("/") in {"", "*"}:
        problem = f"its source {source} covers every route of the shared API"
        yield Finding(resource=resource, problem=problem)


RULE = Rule(
    name="invoke-permission-names-its-source",
    enforcement=MANDATORY,
    severity=Severity.HIGH,
    stops="A service may invoke a Lambda only for a source that the permission names.",
    why=(
        "Without a source, anyone's API, rule or bucket can invoke the function; with the whole "
        "shared API as the source, any application's route can."
    ),
    fix="set sourceArn to <executionArn>/<stage>/<routeKey>; elsewhere the source's own ARN.",
    link="https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-services.html",
    kinds=frozenset({PERMISSION}),
    check=check,
)
