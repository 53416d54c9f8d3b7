"""What of a template goes, and which feeds would tell every event twice if they stayed."""

from __future__ import annotations

from typing import Any

import pytest

from ops.migrate.pointing import Shared
from ops.migrate.retired import find_legacy
from ops.migrate.rewrite import rewrite
from ops.migrate.template import load

SHARED = Shared(
    api_id="lwk0wf6rpl",
    url="wss://lwk0wf6rpl.execute-api.us-east-1.amazonaws.com/dev",
    management_endpoint="https://lwk0wf6rpl.execute-api.us-east-1.amazonaws.com/dev",
    connections_table="WizzUser_websocket_connections_dev",
)
ORDERS = "arn:aws:dynamodb:us-east-1:031857856164:table/WizzOrders/stream/2025-09-01T00:00:00.000"
ANEW = "arn:aws:dynamodb:us-east-1:031857856164:table/WizzOrders/stream/2025-10-01T00:00:00.000"
HOURS = "arn:aws:dynamodb:us-east-1:031857856164:table/Hours/stream/2025-09-01T00:00:00.000"

API = """
Transform: AWS::Serverless-2016-10-31
Resources:
  WebSocketApi: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET}}
  Connect:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref WebSocketApi
      IntegrationUri: INTEGRATION
"""
BY_REFERENCE = (
    "!Sub arn:aws:apigateway:${AWS::Region}:lambda:path/functions/${Handler.Arn}/invocations"
)
MAPPING = """
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !ImportValue orders-stream, FunctionName: FUNCTION}
"""
SAM_HANDLER = """
  Handler:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Events:
        Orders: {Type: DynamoDB, Properties: {Stream: !ImportValue orders, BatchSize: 1}}
        Webhook: {Type: HttpApi, Properties: {Path: /orders, Method: post}}
        Queue: {Type: SQS, Properties: {Queue: !ImportValue queue}}
"""
PLAIN_HANDLER = """
  Handler:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: !Sub "app-${Stage}-handler", Handler: index.handler}
"""


def _template(*parts: str, integration: str = BY_REFERENCE) -> dict[str, Any]:
    return load("".join((API.replace("INTEGRATION", integration), *parts)))


def _fed(template: dict[str, Any], *shared: str, **sources: str) -> set[str]:
    legacy = find_legacy(template, sources, frozenset(shared))
    return {feed.logical_id for feed in legacy.feeds}


def test_a_stream_event_of_a_sam_function_is_its_feed_and_its_other_events_are_not() -> None:
    template = _template(SAM_HANDLER)
    assert _fed(template, ORDERS, HandlerOrders=ORDERS) == {"HandlerOrders"}
    result = rewrite(template, SHARED)
    events = result.template["Resources"]["Handler"]["Properties"]["Events"]
    assert set(events) == {"Webhook", "Queue"}
    removed = [change.path for change in result.changes if change.kind == "remove"]
    assert "Resources.Handler.Properties.Events.Orders" in removed


def test_a_function_whose_only_event_goes_has_no_empty_events_left() -> None:
    template = _template(SAM_HANDLER)
    events = template["Resources"]["Handler"]["Properties"]["Events"]
    del events["Webhook"], events["Queue"]
    handler = rewrite(template, SHARED).template["Resources"]["Handler"]["Properties"]
    assert "Events" not in handler


def test_the_expanded_form_of_a_sam_event_is_found_as_a_mapping() -> None:
    expanded = MAPPING.replace("Mapping:", "HandlerOrders:").replace("FUNCTION", "!Ref Handler")
    template = _template(PLAIN_HANDLER, expanded)
    assert _fed(template, ORDERS, HandlerOrders=ORDERS) == {"HandlerOrders"}
    assert "HandlerOrders" not in rewrite(template, SHARED).template["Resources"]


@pytest.mark.parametrize(
    "function",
    ["!Ref Handler", "!GetAtt Handler.Arn", "!Ref Live", '!Sub "app-${Stage}-handler"'],
)
def test_a_mapping_is_found_however_it_names_the_handler(function: str) -> None:
    alias = """
  Live: {Type: AWS::Lambda::Alias, Properties: {Name: live, FunctionName: !Ref Handler}}
"""
    template = _template(PLAIN_HANDLER, alias, MAPPING.replace("FUNCTION", function))
    assert _fed(template, ORDERS, Mapping=ORDERS) == {"Mapping"}


@pytest.mark.parametrize(
    "integration",
    [
        BY_REFERENCE,
        "!Sub 'arn:aws:apigateway:x:lambda:path/functions/${Live}/invocations'",
        "!Sub 'arn:aws:apigateway:x:lambda:path/functions/arn:aws:lambda:x:1:function:app-${Stage}-handler/invocations'",  # noqa: E501
        "!Join ['', ['arn:aws:apigateway:x:lambda:path/', !GetAtt Handler.Arn, /invocations]]",
    ],
)
def test_a_handler_is_found_however_the_integration_names_it(integration: str) -> None:
    alias = """
  Live: {Type: AWS::Lambda::Alias, Properties: {Name: live, FunctionName: !Ref Handler}}
"""
    mapping = MAPPING.replace("FUNCTION", "!Ref Handler")
    template = _template(PLAIN_HANDLER, alias, mapping, integration=integration)
    assert _fed(template, ORDERS, Mapping=ORDERS) == {"Mapping"}


def test_a_function_that_tells_clients_without_serving_the_api_has_its_feed_taken_too() -> None:
    teller = """
  Teller:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {Variables: {ENDPOINT: !Sub "https://${WebSocketApi}.execute-api.x/dev"}}
      Events: {Orders: {Type: DynamoDB, Properties: {Stream: x}}}
  Reporter:
    Type: AWS::Serverless::Function
    Properties: {Events: {Orders: {Type: DynamoDB, Properties: {Stream: x}}}}
"""
    template = _template(SAM_HANDLER, teller)
    sources = dict.fromkeys(("HandlerOrders", "TellerOrders", "ReporterOrders"), ORDERS)
    assert _fed(template, ORDERS, **sources) == {"HandlerOrders", "TellerOrders"}


def test_a_stream_that_was_switched_off_and_on_is_still_the_same_tables() -> None:
    assert _fed(_template(SAM_HANDLER), ANEW, HandlerOrders=ORDERS) == {"HandlerOrders"}


def test_a_stream_that_the_shared_side_does_not_read_goes_on_being_read() -> None:
    template = _template(SAM_HANDLER)
    legacy = find_legacy(template, {"HandlerOrders": HOURS}, frozenset({ORDERS}))
    assert not legacy.feeds
    assert {feed.source for feed in legacy.kept_feeds} == {HOURS, None}
    kept = rewrite(template, SHARED, legacy=legacy).template["Resources"]["Handler"]
    assert "Orders" in kept["Properties"]["Events"]


def test_a_sam_websocket_api_is_an_api_of_ones_own_and_its_routes_name_the_handlers() -> None:
    template = load(
        f"""
        Resources:
          Socket:
            Type: AWS::Serverless::WebSocketApi
            Properties: {{Routes: {{$connect: {{FunctionArn: !GetAtt Handler.Arn}}}}}}
        {SAM_HANDLER.replace(chr(10), chr(10) + " " * 8)}
        """
    )
    legacy = find_legacy(template)
    assert legacy.apis == {"Socket"}
    assert {feed.logical_id for feed in legacy.feeds} == {"HandlerOrders"}


def test_a_deployment_goes_with_its_api_and_leaves_nothing_that_waits_for_it() -> None:
    deployment = """
  Deployment:
    Type: AWS::ApiGatewayV2::Deployment
    DependsOn: [Connect]
    Properties: {ApiId: !Ref WebSocketApi}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref WebSocketApi, StageName: dev, DeploymentId: !Ref Deployment}
  RestApi: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP}}
  RestDeployment: {Type: AWS::ApiGatewayV2::Deployment, Properties: {ApiId: !Ref RestApi}}
  Warm: {Type: AWS::SNS::Topic, DependsOn: Deployment}
"""
    template = _template(SAM_HANDLER, deployment)
    assert find_legacy(template).parts == {"Connect", "Deployment", "Stage"}
    kept = rewrite(template, SHARED).template["Resources"]
    assert set(kept) == {"Handler", "RestApi", "RestDeployment", "Warm"}
    assert "DependsOn" not in kept["Warm"]
