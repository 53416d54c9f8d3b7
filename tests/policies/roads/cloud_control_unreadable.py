"""Cloud Control with a state that is no JSON.

Found by: no-standalone-websocket-api
"""

import pulumi_aws as aws

aws.cloudcontrol.Resource(
    "chat", type_name="AWS::ApiGatewayV2::Api", desired_state="{ProtocolType: WEBSOCKET"
)
