"""What the rule shared-api-has-one-owner stops."""

import pulumi_aws as aws

aws.apigatewayv2.Deployment("now", api_id="lwk0wf6rpl")
