"""The table of types: a module per service, a row per type."""

from sandbox.aws.types import apigatewayv2, cloudwatch, dynamodb, events, iam, lambda_, sqs

TYPES = {
    **apigatewayv2.TYPES,
    **cloudwatch.TYPES,
    **dynamodb.TYPES,
    **events.TYPES,
    **iam.TYPES,
    **lambda_.TYPES,
    **sqs.TYPES,
}
"""Every type that the sandbox has, by token."""
