"""The table of types: a module per service, a row per type."""

from typing import Final

from sandbox.aws.schema import ResourceType
from sandbox.aws.types import apigatewayv2, cloudwatch, dynamodb, iam, lambda_, sqs

TYPES: Final = {
    each.token: each
    for module in (apigatewayv2, cloudwatch, dynamodb, iam, lambda_, sqs)
    for each in vars(module).values()
    if isinstance(each, ResourceType)
}
"""Every type that the sandbox has, by token."""
