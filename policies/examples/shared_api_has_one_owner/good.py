"""What the rule shared-api-has-one-owner lets pass."""

import pulumi_aws as aws

# The shared stage deploys itself; an HTTP API's own stage is nobody else's business.
catalogue = aws.apigatewayv2.Api("catalogue", protocol_type="HTTP")
aws.apigatewayv2.Stage("live", api_id=catalogue.id, name="$default", auto_deploy=True)
