"""What the rule no-platform-route lets pass."""

import pulumi_aws as aws

aws.apigatewayv2.Route("orders", api_id="lwk0wf6rpl", route_key="list_orders")
