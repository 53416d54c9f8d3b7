"""A component, a template without surprises, a build command and a REST API."""

import pulumi
import pulumi_aws as aws


class Site(pulumi.ComponentResource):
    """A bucket behind a name."""

    def __init__(self, name: str) -> None:
        super().__init__("shop:site:Site", name)
        aws.s3.Bucket(name, opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


class Other(pulumi.CustomResource):
    """A resource of a provider whose package is not installed here."""


Site("site")
Other("random:index/pet:Pet", "name", {"length": 2})
Other("command:local:Command", "build", {"create": "npm ci && npm run build"})
Other("kubernetes:apps/v1:Deployment", "web", {"spec": {"replicas": 2}})
Other("aws-native:s3:Bucket", "logs", {"bucketName": "logs"})
aws.apigateway.RestApi("legacy", body="{}")
aws.cloudformation.Stack(
    "topics",
    template_body="""
        AWSTemplateFormatVersion: 2010-09-09
        Transform: AWS::Serverless-2016-10-31
        Parameters:
          Stage: {Type: String, Default: dev}
        Conditions:
          IsProd: !Equals [!Ref Stage, prod]
        Resources:
          Topic:
            Type: AWS::SNS::Topic
            Condition: IsProd
          Http:
            Type: AWS::Serverless::HttpApi
          Api:
            Type: AWS::ApiGatewayV2::Api
            Properties:
              Name: !Sub "orders-${Stage}"
              ProtocolType: HTTP
          Table:
            Type: AWS::DynamoDB::Table
            Properties:
              TableName: !Join ["-", [orders, !Ref Stage]]
              KeySchema: [{AttributeName: orderId, KeyType: HASH}]
          Policy:
            Type: AWS::IAM::Policy
            Properties:
              PolicyName: orders
              PolicyDocument:
                Statement:
                  - Effect: Allow
                    Action: dynamodb:GetItem
                    Resource: !GetAtt Table.Arn
                  - Effect: Allow
                    Action: dynamodb:Query
                    Resource: !Sub "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders"
          Permission:
            Type: AWS::Lambda::Permission
            Properties:
              Action: lambda:InvokeFunction
              FunctionName: orders
              Principal: apigateway.amazonaws.com
              SourceArn: !Sub "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"
    """,
)
