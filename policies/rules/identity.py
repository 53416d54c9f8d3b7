"""Who a client is must be proved, not believed."""

from collections.abc import Iterable
from typing import Final

from policies.kinds import FUNCTION
from policies.model import Finding, Resource
from policies.rule import ADVISORY, Outcome, Rule, Severity
from policies.rules import function_environment
from policies.settings import Settings

_VARIABLES: Final = ("IDENTITY_MODE", "WEBSOCKET_IDENTITY_MODE")


def check(resource: Resource, _settings: Settings) -> Iterable[Outcome]:
    """Warn about a function that believes what the connection row says."""
    for name in _VARIABLES:
        mode = function_environment.variables(resource).text(name)
        if isinstance(mode, str) and mode.casefold() == "connection":
            problem = f"{name} is {mode}: whoever the platform's $connect wrote down is believed"
            yield Finding(resource=resource, problem=problem)


RULE = Rule(
    name="identity-is-proved",
    enforcement=ADVISORY,
    severity=Severity.HIGH,
    stops="A function believes who a client says it is.",
    why=(
        "The platform's $connect writes customer by default and checks nothing, so that anyone may "
        "act as any merchant."
    ),
    fix="set identityMode to token (or authorizer); connection is meant for a transition only.",
    link="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-control-access.html",
    kinds=frozenset({FUNCTION}),
    check=check,
)
