"""The rules as standard CrossGuard policies: what the CLI lists, and any pack could hold."""

from collections.abc import Sequence
from typing import Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
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
        resource = Resource(
            type=args.resource_type,
            kind=kind_of(args.resource_type),
            name=args.name,
            urn=args.urn,
            props=Props(wire.from_sdk(args.props)),
        )
        for _, outcome in evaluation.check(resource):
            if isinstance(outcome, Finding):
                report(rule.message(outcome), None)

    return ResourceValidationPolicy(
        name=rule.name,
        description=rule.stops,
        validate=validate,
        enforcement_level=EnforcementLevel(rule.enforcement.value),
        config_schema=_schema(rule),
        severity=Severity(rule.severity.value),
        remediation_steps=rule.fix,
        url=rule.link,
    )


def _stack_policy(rule: Rule, settings: Settings) -> StackValidationPolicy:
    check_stack = rule.check_stack
    assert check_stack is not None

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        registered = [
            Registered(
                resource=Resource(
                    type=resource.resource_type,
                    kind=kind_of(resource.resource_type),
                    name=resource.name,
                    urn=resource.urn,
                    props=Props(wire.from_sdk(resource.props)),
                ),
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

    return StackValidationPolicy(
        name=rule.name,
        description=rule.stops,
        validate=validate,
        enforcement_level=EnforcementLevel(rule.enforcement.value),
        config_schema=_schema(rule),
        severity=Severity(rule.severity.value),
        remediation_steps=rule.fix,
        url=rule.link,
    )


def _schema(rule: Rule) -> PolicyConfigSchema | None:
    if not rule.options:
        return None
    return PolicyConfigSchema({name: dict(schema) for name, schema in rule.options.items()})
