"""A program that hides the API from the preview.

Found by: no-standalone-websocket-api
"""

import pulumi
import pulumi_aws as aws

if not pulumi.runtime.is_dry_run():
    aws.apigatewayv2.Api("chat", protocol_type="WEBSOCKET")
