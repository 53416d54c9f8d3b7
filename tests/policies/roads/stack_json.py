"""A CloudFormation stack in JSON.

Found by: no-standalone-websocket-api
"""

import pulumi_aws as aws

TEMPLATE = """
{
  "Resources": {
    "Chat": {
      "Type": "AWS::ApiGatewayV2::Api",
      "Properties": {"Name": {"Ref": "AWS::StackName"}, "ProtocolType": "WEBSOCKET"}
    }
  }
}
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE)
