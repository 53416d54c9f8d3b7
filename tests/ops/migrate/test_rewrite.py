"""The rewrite of a legacy template: what goes, what comes, what is left."""

from __future__ import annotations

import copy
import json

import pytest

from ops.errors import OperatorError
from ops.migrate.pointing import Shared
from ops.migrate.retired import find_legacy
from ops.migrate.rewrite import rewrite
from ops.migrate.template import load, references

SHARED = Shared(
    api_id="lwk0wf6rpl",
    url="wss://lwk0wf6rpl.execute-api.us-east-1.amazonaws.com/dev",
    management_endpoint="https://lwk0wf6rpl.execute-api.us-east-1.amazonaws.com/dev",
    connections_table="WizzUser_websocket_connections_dev",
)

# ruff: noqa: E501 - a template's lines are as long as its names

TEMPLATE = """
AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
Resources:
  WebSocketApi:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Name: !Sub order-receiver-websocket-api-${Stage}
      ProtocolType: WEBSOCKET
      RouteSelectionExpression: $request.body.action
  ConnectIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref WebSocketApi
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/functions/${WebSocketHandler.Arn}/invocations
  ConnectRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref WebSocketApi
      RouteKey: $connect
      Target: !Sub integrations/${ConnectIntegration}
  WebSocketDeployment:
    Type: AWS::ApiGatewayV2::Deployment
    DependsOn: [ConnectRoute]
    Properties: {ApiId: !Ref WebSocketApi}
  WebSocketStage:
    Type: AWS::ApiGatewayV2::Stage
    Properties:
      ApiId: !Ref WebSocketApi
      StageName: !Ref Stage
      DeploymentId: !Ref WebSocketDeployment
  WebSocketConnectPermission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref WebSocketHandler
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${WebSocketApi}/*
  WebSocketConnectionsTable:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub order-receiver-websocket-connections-${Stage}
      BillingMode: PAY_PER_REQUEST
  WorkingHours:
    Type: AWS::DynamoDB::Table
    Properties: {TableName: WhizzMerchants_BusinessWorkingHours}
  HttpApi:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: rest, ProtocolType: HTTP}
  HttpStage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref HttpApi, StageName: dev}
  WebSocketHandler:
    Type: AWS::Serverless::Function
    DependsOn: [WebSocketConnectionsTable, WorkingHours]
    Properties:
      Handler: index.handler
      Environment:
        Variables:
          WEBSOCKET_CONNECTIONS_TABLE: !Ref WebSocketConnectionsTable
          WEBSOCKET_ENDPOINT: !Sub https://${WebSocketApi}.execute-api.${AWS::Region}.amazonaws.com/${Stage}
          OTHER: kept
      Policies:
        - Statement:
            - Effect: Allow
              Action: [dynamodb:PutItem]
              Resource:
                - !GetAtt WebSocketConnectionsTable.Arn
                - !Sub arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/order-receiver-websocket-connections-${Stage}/index/*
            - Effect: Allow
              Action: [execute-api:ManageConnections]
              Resource: !Sub arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${WebSocketApi}/*
Outputs:
  WebSocketUrl:
    Value: !Sub ${WebSocketApi.ApiEndpoint}/${Stage}
  Endpoint:
    Value: !GetAtt WebSocketApi.ApiEndpoint
"""


def _rewritten():
    return rewrite(load(TEMPLATE), SHARED)


def test_everything_of_the_own_api_goes_and_nothing_else() -> None:
    kept = set(_rewritten().template["Resources"])
    assert kept == {"WorkingHours", "HttpApi", "HttpStage", "WebSocketHandler"}


def test_the_five_kinds_that_go_are_listed_as_changes() -> None:
    removed = {change.what for change in _rewritten().changes if change.kind == "remove"}
    assert removed == {
        "AWS::ApiGatewayV2::Api",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::Deployment",
        "AWS::ApiGatewayV2::Stage",
        "AWS::Lambda::Permission",
        "AWS::DynamoDB::Table",
    }


def test_the_two_parameters_come_with_the_stage_in_the_url() -> None:
    parameters = _rewritten().template["Parameters"]
    assert parameters["SharedWebSocketApiId"]["Default"] == "lwk0wf6rpl"
    assert parameters["SharedWebSocketUrl"]["Default"].endswith("/dev")
    assert parameters["Stage"] == {"Type": "String", "Default": "dev"}


def test_the_environment_names_the_shared_table_the_api_and_the_https_endpoint() -> None:
    handler = _rewritten().template["Resources"]["WebSocketHandler"]["Properties"]
    assert handler["Environment"]["Variables"] == {
        "WEBSOCKET_CONNECTIONS_TABLE": "WizzUser_websocket_connections_dev",
        "SHARED_WEBSOCKET_API_ID": {"Ref": "SharedWebSocketApiId"},
        "WEBSOCKET_ENDPOINT": {
            "Fn::Sub": "https://${SharedWebSocketApiId}.execute-api.us-east-1.amazonaws.com/dev"
        },
        "OTHER": "kept",
    }


def test_permissions_speak_of_the_shared_table_and_api() -> None:
    text = json.dumps(_rewritten().template["Resources"]["WebSocketHandler"])
    assert "table/WizzUser_websocket_connections_dev/index/*" in text
    assert "${SharedWebSocketApiId}/dev/POST/@connections/*" in text
    assert "order-receiver-websocket-connections" not in text


def test_an_output_that_appended_the_stage_does_not_carry_it_twice() -> None:
    outputs = _rewritten().template["Outputs"]
    assert outputs["WebSocketUrl"]["Value"] == {"Fn::Sub": "${SharedWebSocketUrl}"}
    assert outputs["Endpoint"]["Value"] == {"Ref": "SharedWebSocketUrl"}


def test_nothing_refers_to_what_is_gone() -> None:
    result = _rewritten()
    assert result.leftovers == ()
    assert not references(result.template) & find_legacy(load(TEMPLATE)).all


def test_dependencies_on_what_is_gone_are_dropped_and_the_others_kept() -> None:
    assert _rewritten().template["Resources"]["WebSocketHandler"]["DependsOn"] == ["WorkingHours"]


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("!Ref WebSocketApi", {"Ref": "SharedWebSocketApiId"}),
        ("!GetAtt WebSocketApi.ApiId", {"Ref": "SharedWebSocketApiId"}),
        ("!GetAtt WebSocketApi.ApiEndpoint", {"Ref": "SharedWebSocketUrl"}),
        ("!Sub id-${WebSocketApi}", {"Fn::Sub": "id-${SharedWebSocketApiId}"}),
        ("!Sub ['id-${A}', {A: !Ref WebSocketApi}]", {"Fn::Sub": "id-${SharedWebSocketApiId}"}),
        (
            "!Sub ['${A}-${X}', {A: !Ref WebSocketApi, X: !ImportValue x}]",
            {
                "Fn::Sub": [
                    "${A}-${X}",
                    {"A": {"Ref": "SharedWebSocketApiId"}, "X": {"Fn::ImportValue": "x"}},
                ]
            },
        ),
        ("!Join ['-', [id, !Ref WebSocketApi]]", {"Fn::Sub": "id-${SharedWebSocketApiId}"}),
        (
            "!Join ['', ['wss://', !Ref WebSocketApi, .execute-api., !Ref AWS::Region, .amazonaws.com/, !Ref Stage]]",
            {"Fn::Sub": "${SharedWebSocketUrl}"},
        ),
        (
            "!Sub wss://${WebSocketApi}.execute-api.${AWS::Region}.amazonaws.com",
            {"Fn::Sub": "${SharedWebSocketUrl}"},
        ),
        (
            "!Sub https://${WebSocketApi}.execute-api.${AWS::Region}.amazonaws.com/${Stage}/@connections",
            {
                "Fn::Sub": "https://${SharedWebSocketApiId}.execute-api.${AWS::Region}.amazonaws.com/dev/@connections"
            },
        ),
        (
            "!Join ['', [!Select [0, [!Ref WebSocketApi]], x]]",
            {"Fn::Join": ["", [{"Fn::Select": [0, [{"Ref": "SharedWebSocketApiId"}]]}, "x"]]},
        ),
        ("!Select [0, [!Ref WebSocketStage]]", {"Fn::Select": [0, ["dev"]]}),
    ],
)
def test_every_way_to_refer_to_the_api_is_pointed_at_the_shared_one(written, becomes) -> None:
    template = load(f"{TEMPLATE}  Other:\n    Value: {written}\n")
    result = rewrite(template, SHARED)
    assert result.template["Outputs"]["Other"]["Value"] == becomes
    assert result.leftovers == ()


def test_what_cannot_be_pointed_at_the_shared_api_is_named_by_its_path() -> None:
    template = load(f"{TEMPLATE}  Other: {{Value: !GetAtt ConnectRoute.RouteId}}\n")
    leftovers = rewrite(template, SHARED).leftovers
    assert leftovers == ("Outputs.Other.Value refers to ConnectRoute",)


@pytest.mark.parametrize("ends", ["Source", "Destination"])
def test_a_connector_of_what_goes_is_refused_by_its_path(ends: str) -> None:
    template = load(TEMPLATE)
    template["Resources"]["Wire"] = {
        "Type": "AWS::Serverless::Connector",
        "Properties": {ends: {"Id": "WebSocketApi"}, "Permissions": ["Write"]},
    }
    with pytest.raises(OperatorError, match=rf"Resources\.Wire\.Properties\.{ends}: a connector"):
        rewrite(template, SHARED)


def test_variables_for_all_functions_are_pointed_at_the_shared_side_too() -> None:
    template = load(TEMPLATE)
    everywhere = {"WEBSOCKET_CONNECTIONS_TABLE": {"Ref": "WebSocketConnectionsTable"}}
    template["Globals"] = {"Function": {"Environment": {"Variables": everywhere}}}
    given = rewrite(template, SHARED).template["Globals"]["Function"]["Environment"]["Variables"]
    assert given == {
        "WEBSOCKET_CONNECTIONS_TABLE": "WizzUser_websocket_connections_dev",
        "SHARED_WEBSOCKET_API_ID": {"Ref": "SharedWebSocketApiId"},
    }


@pytest.mark.parametrize("has", ["WEBSOCKET_ENDPOINT", "WEBSOCKET_CONNECTIONS_TABLE"])
def test_no_function_is_given_the_name_of_what_it_has_no_right_to(has: str) -> None:
    template = load(TEMPLATE)
    handler = template["Resources"]["WebSocketHandler"]["Properties"]
    handler["Environment"]["Variables"] = {has: "old", "WEBSOCKET_SUBSCRIPTIONS_TABLE": "mine"}
    rewritten = rewrite(template, SHARED).template["Resources"]["WebSocketHandler"]["Properties"]
    variables = rewritten["Environment"]["Variables"]
    assert set(variables) == {has, "WEBSOCKET_SUBSCRIPTIONS_TABLE", "SHARED_WEBSOCKET_API_ID"}
    assert variables["WEBSOCKET_SUBSCRIPTIONS_TABLE"] == "mine"


def test_a_second_rewrite_changes_nothing() -> None:
    once = _rewritten()
    twice = rewrite(once.template, SHARED)
    assert twice.template == once.template
    assert twice.changes == ()


def test_the_given_template_is_left_as_it_was() -> None:
    template = load(TEMPLATE)
    before = copy.deepcopy(template)
    rewrite(template, SHARED)
    assert template == before


def test_a_physical_name_that_stays_anywhere_is_reported_with_its_place() -> None:
    template = load(TEMPLATE)
    template["Resources"]["WorkingHours"]["Metadata"] = {"note": "was pyc140yn0h"}
    result = rewrite(template, SHARED, legacy_names=frozenset({"pyc140yn0h"}))
    assert result.leftovers == ("Resources.WorkingHours.Metadata.note names pyc140yn0h",)


def test_a_name_that_only_begins_like_a_retired_one_is_not_reported() -> None:
    template = load(TEMPLATE)
    template["Resources"]["WorkingHours"]["Metadata"] = {"note": "rows-v2, xrows, table/rows2"}
    assert rewrite(template, SHARED, legacy_names=frozenset({"rows"})).leftovers == ()


def test_an_attribute_that_the_shared_table_cannot_give_is_refused_by_name() -> None:
    template = load(TEMPLATE)
    template["Outputs"]["Stream"] = {
        "Value": {"Fn::GetAtt": ["WebSocketConnectionsTable", "StreamArn"]}
    }
    with pytest.raises(OperatorError, match=r"WebSocketConnectionsTable\.StreamArn"):
        rewrite(template, SHARED)


def test_json_and_yaml_of_the_same_template_are_the_same() -> None:
    assert load(json.dumps(load(TEMPLATE))) == load(TEMPLATE)


@pytest.mark.parametrize("text", ["- a\n- b", "{", "a: !Nope x"])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(OperatorError, match="template"):
        load(text)
