"""The table of types: a module per kind of thing, a row per type."""

from sandbox.aws.types import (
    alarms,
    apigatewayv2,
    dashboards,
    events,
    functions,
    iam,
    logs,
    sqs,
    tables,
    triggers,
)

TYPES = {
    **alarms.TYPES,
    **apigatewayv2.TYPES,
    **dashboards.TYPES,
    **events.TYPES,
    **functions.TYPES,
    **iam.TYPES,
    **logs.TYPES,
    **sqs.TYPES,
    **tables.TYPES,
    **triggers.TYPES,
}
"""Every type that the sandbox has, by token."""
