"""Cloud Control with a type that is computed.

Found by: no-opaque-template
"""

import pulumi_aws as aws

parameter = aws.ssm.Parameter("type", type="String", value="AWS::ApiGatewayV2::Api")
aws.cloudcontrol.Resource("chat", type_name=parameter.insecure_value, desired_state="{}")
