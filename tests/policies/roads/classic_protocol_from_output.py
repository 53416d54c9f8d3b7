"""A protocol that is computed while deploying.

Found by: no-standalone-websocket-api
"""

import pulumi_aws as aws

parameter = aws.ssm.Parameter("protocol", type="String", value="WEBSOCKET")
aws.apigatewayv2.Api("chat", protocol_type=parameter.arn)
