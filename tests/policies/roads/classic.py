"""The classic provider.

Found by: no-standalone-websocket-api
"""

import pulumi_aws as aws

aws.apigatewayv2.Api("chat", protocol_type="WEBSOCKET")
