"""A protocol that is a secret.

Found by: no-standalone-websocket-api
"""

import pulumi
import pulumi_aws as aws

aws.apigatewayv2.Api("chat", protocol_type=pulumi.Output.secret("WEBSOCKET"))
