"""What the rule no-standalone-websocket-api lets pass."""

import pulumi_aws as aws

shared = aws.apigatewayv2.get_apis(name="WizzUser-WebSocket-dev", protocol_type="WEBSOCKET")
integration = aws.apigatewayv2.Integration("orders", api_id=shared.ids[0], integration_type="MOCK")
aws.apigatewayv2.Route(
    "orders",
    api_id=shared.ids[0],
    route_key="list_orders",
    target=integration.id.apply("integrations/{}".format),
)
# An HTTP API of one's own is welcome.
aws.apigatewayv2.Api("catalogue", protocol_type="HTTP")
