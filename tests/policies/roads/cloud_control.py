"""Cloud Control through the classic provider.

Found by: no-standalone-websocket-api
"""

import json

import pulumi_aws as aws

aws.cloudcontrol.Resource(
    "chat",
    type_name="AWS::ApiGatewayV2::Api",
    desired_state=json.dumps({"Name": "chat", "ProtocolType": "WEBSOCKET"}),
)
