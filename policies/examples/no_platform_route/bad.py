"""What the rule no-platform-route stops."""

import pulumi_aws as aws

aws.apigatewayv2.Route("connect", api_id="lwk0wf6rpl", route_key="$connect")
