"""The WebSocket API of the serverless application model.

Found by: no-standalone-websocket-api
"""

import pulumi_aws as aws

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Chat:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.action
"""

aws.cloudformation.Stack("chat", template_body=TEMPLATE)
