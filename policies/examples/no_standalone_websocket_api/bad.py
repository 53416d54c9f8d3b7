"""What the rule no-standalone-websocket-api stops."""

import pulumi_aws as aws

aws.apigatewayv2.Api(
    "chat", protocol_type="WEBSOCKET", route_selection_expression="$request.body.action"
)
