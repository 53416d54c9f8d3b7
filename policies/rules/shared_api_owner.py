"""Nobody but the platform changes the shared API itself."""

from collections.abc import Iterable
from typing import Final

from policies.kinds import (
    API,
    API_MAPPING,
    AUTHORIZER,
    DEPLOYMENT,
    MANAGED_OVERRIDES,
    STAGE,
)
from policies.model import Finding, Resource
from policies.rule import MANDATORY, Outcome, Rule, Severity
from policies.settings import Settings

_ACTS: Final = {
    STAGE: "a stage",
    DEPLOYMENT: "a deployment",
    API_MAPPING: "a domain's mapping",
    AUTHORIZER: "an authorizer",
    MANAGED_OVERRIDES: "an override of its settings",
}


def check(resource: Resource, settings: Settings) -> Iterable[Outcome]:
    """Refuse whatever only the owner of the shared API may do to it."""
    platform = settings.platform
    if resource.kind == API:
        name = resource.props.text("name")
        if isinstance(name, str) and platform.api_name.matches_folded(name):
            problem = f'its name "{name}" is that of the shared API'
            yield Finding(resource=resource, problem=problem)
        return
    # An id that is not known yet is one that the program itself creates, and that is an HTTP API.
    api = resource.props.text("apiId")
    if isinstance(api, str) and api in platform.api_ids:
        problem = f"it is {_ACTS[str(resource.kind)]} on the shared API {api}"
        yield Finding(resource=resource, problem=problem)


RULE = Rule(
    name="shared-api-has-one-owner",
    enforcement=MANDATORY,
    severity=Severity.HIGH,
    stops="Nobody but the platform changes the shared API, its stages or its authorizers.",
    why=(
        "A second deployment, stage or authorizer overwrites what every other application relies "
        "on, and takes it down for all of them when the stack is destroyed."
    ),
    fix="add routes and integrations only (its stage deploys them); ask the platform for the rest.",
    link="https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-deployments.html",
    kinds=frozenset({API, *_ACTS}),
    check=check,
)
