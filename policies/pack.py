"""The rules as standard CrossGuard policies: what the CLI lists, and any pack could hold."""

from collections.abc import Sequence
from typing import Final, TypedDict

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from policies import wire
from policies.evaluation import Evaluation
from policies.kinds import kind_of
from policies.model import Finding, Registered, Resource
from policies.rule import Rule
from policies.settings import Settings
from policies.stack import Stack
from policies.values import Props

NAME: Final = "shared-websocket"
DESCRIPTION: Final = "Applications stay on the shared WebSocket API, and act there as guests."


def policies(rules: Sequence[Rule], settings: Settings | None = None) -> list[Policy]:
    """Return a policy for every rule, in the order of the table."""
    settings = settings or Settings()
    return [
        _resource_policy(rule, settings) if rule.check else _stack_policy(rule, settings)
        for rule in rules
    ]


def _resource_policy(rule: Rule, settings: Settings) -> ResourceValidationPolicy:
    evaluation = Evaluation([rule], settings)

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for _, outcome in evaluation.check(_resource(args)):
            if isinstance(outcome, Finding):
                report(rule.message(outcome), None)

    return ResourceValidationPolicy(validate=validate, **_metadata(rule))


def _stack_policy(rule: Rule, settings: Settings) -> StackValidationPolicy:
    check_stack = rule.check_stack
    assert check_stack is not None

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        registered = [
            Registered(
                resource=_resource(resource),
                dependencies=[dependency.urn for dependency in resource.dependencies],
                property_dependencies={
                    name: [dependency.urn for dependency in dependencies]
                    for name, dependencies in resource.property_dependencies.items()
                },
            )
            for resource in args.resources
        ]
        for outcome in check_stack(Stack(registered, settings)):
            if isinstance(outcome, Finding):
                report(rule.message(outcome), outcome.resource.urn)

    return StackValidationPolicy(validate=validate, **_metadata(rule))


def _resource(given: ResourceValidationArgs | PolicyResource) -> Resource:
    return Resource(
        type=given.resource_type,
        kind=kind_of(given.resource_type),
        name=given.name,
        urn=given.urn,
        props=Props(wire.from_sdk(given.props)),
    )


class _Metadata(TypedDict):
    """What a policy of either sort says of itself."""

    name: str
    description: str
    enforcement_level: EnforcementLevel
    config_schema: PolicyConfigSchema | None
    severity: Severity
    remediation_steps: str
    url: str


def _metadata(rule: Rule) -> _Metadata:
    options = {name: dict(schema) for name, schema in rule.options.items()}
    return _Metadata(
        name=rule.name,
        description=rule.stops,
        enforcement_level=EnforcementLevel(rule.enforcement.value),
        config_schema=PolicyConfigSchema(options) if options else None,
        severity=Severity(rule.severity.value),
        remediation_steps=rule.fix,
        url=rule.link,
    )
