"""Our routes on the shared API: one integration; a route, its reply and permission per key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.shared_platform import SharedPlatform

INTEGRATION_TIMEOUT: Final = 29_000
"""Milliseconds; the longest that API Gateway waits."""
WITHOUT_REPLY: Final = ("$connect", "$disconnect")
"""Handshake and farewell: there is nobody to reply to."""


@dataclass(frozen=True, kw_only=True)
class RouteParts:
    """One route and what makes it work."""

    route: aws.apigatewayv2.Route
    reply: aws.apigatewayv2.RouteResponse | None
    permission: aws.lambda_.Permission


@dataclass(frozen=True, kw_only=True)
class RoutesParts:
    """The integration, and every route by its key."""

    integration: aws.apigatewayv2.Integration
    routes: dict[str, RouteParts]


def create_routes(
    name: str,
    *,
    route_keys: tuple[str, ...],
    function: aws.lambda_.Function,
    platform: SharedPlatform,
    parent: pulumi.Resource,
) -> RoutesParts:
    """Put route keys of the shared API on a Lambda."""
    integration = aws.apigatewayv2.Integration(
        f"{name}-integration",
        api_id=platform.api_id,
        description=f"Order receiver ({name})",
        integration_type="AWS_PROXY",
        integration_method="POST",
        integration_uri=function.invoke_arn,
        content_handling_strategy="CONVERT_TO_TEXT",
        passthrough_behavior="WHEN_NO_MATCH",
        timeout_milliseconds=INTEGRATION_TIMEOUT,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    routes = {
        route_key: _create_route(name, route_key, integration, function, platform)
        for route_key in route_keys
    }
    return RoutesParts(integration=integration, routes=routes)


def _create_route(
    name: str,
    route_key: str,
    integration: aws.apigatewayv2.Integration,
    function: aws.lambda_.Function,
    platform: SharedPlatform,
) -> RouteParts:
    label = f"{name}-{route_key.removeprefix('$')}"
    permission = aws.lambda_.Permission(
        f"{label}-permission",
        statement_id=f"SharedApi-{route_key.removeprefix('$')}",
        action="lambda:InvokeFunction",
        function=function.name,
        principal="apigateway.amazonaws.com",
        source_arn=f"{platform.execution_arn}/{platform.stage}/{route_key}",
        opts=pulumi.ResourceOptions(parent=integration),
    )
    # AutoDeploy publishes a route the moment it exists, so it may be invoked by then.
    route = aws.apigatewayv2.Route(
        f"{label}-route",
        api_id=platform.api_id,
        route_key=route_key,
        target=pulumi.Output.concat("integrations/", integration.id),
        authorization_type="NONE",
        route_response_selection_expression=None if route_key in WITHOUT_REPLY else "$default",
        opts=pulumi.ResourceOptions(parent=integration, depends_on=[permission]),
    )
    reply = None
    if route_key not in WITHOUT_REPLY:
        reply = aws.apigatewayv2.RouteResponse(
            f"{label}-reply",
            api_id=platform.api_id,
            route_id=route.id,
            route_response_key="$default",
            opts=pulumi.ResourceOptions(parent=route),
        )
    return RouteParts(route=route, reply=reply, permission=permission)
