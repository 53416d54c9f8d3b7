"""API Gateway v2: APIs, stages and what hangs below an API."""

from typing import Any, Final

from sandbox.aws.operation import Operation
from sandbox.aws.schema import (
    decimal,
    flag,
    integer,
    mapping,
    out,
    record,
    resource,
    text,
    text_set,
)

_API_ID: Final = text("apiId", required=True, replaces=True)


def _endpoint(operation: Operation, api_id: str, protocol: str) -> str:
    """Return an API's address, without a stage, in the form that reaches the sandbox's gateway.

    On AWS it is `wss://ID.execute-api.REGION.amazonaws.com`; names below `localhost` do not resolve
    on every machine, so the API's id stands in the path here.
    """
    scheme = "ws" if protocol == "WEBSOCKET" else "http"
    return f"{scheme}://{operation.session.authority}/_aws/execute-api/{api_id}"


def _api_told(operation: Operation, found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "ApiEndpoint": _endpoint(operation, operation.id, found["ProtocolType"])}


def _stage_told(operation: Operation, found: dict[str, Any]) -> dict[str, Any]:
    api, name = operation.get("apiId"), found["StageName"]
    endpoint = _endpoint(operation, api, operation.call("get_api")["ProtocolType"])
    return {**found, "InvokeUrl": f"{endpoint}/" if name == "$default" else f"{endpoint}/{name}"}


API: Final = resource(
    "apigatewayv2/api:Api",
    "apigatewayv2",
    text("name", autoname=128),
    text("protocolType", required=True, replaces=True, choices=("HTTP", "WEBSOCKET")),
    text("apiKeySelectionExpression", default="$request.header.x-api-key"),
    record(
        "corsConfiguration",
        flag("allowCredentials"),
        text_set("allowHeaders"),
        text_set("allowMethods"),
        text_set("allowOrigins"),
        text_set("exposeHeaders"),
        integer("maxAge"),
    ),
    text("description"),
    flag("disableExecuteApiEndpoint", default=False),
    text("ipAddressType", computed=True, choices=("ipv4", "dualstack")),
    text("routeSelectionExpression", default="$request.method $request.path"),
    text("version"),
    out("apiEndpoint"),
    out("arn", None, template="arn:aws:apigateway:{region}::/apis/{id}"),
    out("executionArn", None, template="arn:aws:execute-api:{region}:{account}:{id}"),
    tags=True,
    noun="api",
    tells=_api_told,
    key={"ApiId": "id"},
    id="{ApiId}",
)

STAGE: Final = resource(
    "apigatewayv2/stage:Stage",
    "apigatewayv2",
    _API_ID,
    text("name", "StageName", replaces=True, autoname=128),
    record(
        "accessLogSettings", text("destinationArn", required=True), text("format", required=True)
    ),
    flag("autoDeploy", default=False),
    record(
        "defaultRouteSettings",
        flag("dataTraceEnabled"),
        flag("detailedMetricsEnabled"),
        text("loggingLevel", choices=("OFF", "INFO", "ERROR"), computed=True),
        integer("throttlingBurstLimit"),
        decimal("throttlingRateLimit"),
    ),
    text("deploymentId", computed=True),
    text("description"),
    mapping("stageVariables"),
    out("arn", None, template="arn:aws:apigateway:{region}::/apis/{apiId}/stages/{id}"),
    out("executionArn", None, template="arn:aws:execute-api:{region}:{account}:{apiId}/{id}"),
    out("invokeUrl"),
    tags=True,
    noun="stage",
    tells=_stage_told,
    key={"ApiId": "apiId", "StageName": "id"},
    id="{name}",
    unique=("apiId", "name"),
)

ROUTE: Final = resource(
    "apigatewayv2/route:Route",
    "apigatewayv2",
    _API_ID,
    text("routeKey", required=True),
    flag("apiKeyRequired", default=False),
    text_set("authorizationScopes"),
    text("authorizationType", default="NONE", choices=("NONE", "AWS_IAM", "CUSTOM", "JWT")),
    text("authorizerId"),
    text("modelSelectionExpression"),
    text("operationName"),
    mapping("requestModels"),
    text("routeResponseSelectionExpression"),
    text("target"),
    noun="route",
    key={"ApiId": "apiId", "RouteId": "id"},
    id="{RouteId}",
    unique=("apiId", "routeKey"),
)

ROUTE_RESPONSE: Final = resource(
    "apigatewayv2/routeResponse:RouteResponse",
    "apigatewayv2",
    _API_ID,
    text("routeId", required=True, replaces=True),
    text("routeResponseKey", required=True),
    text("modelSelectionExpression"),
    mapping("responseModels"),
    noun="route_response",
    key={"ApiId": "apiId", "RouteId": "routeId", "RouteResponseId": "id"},
    id="{RouteResponseId}",
    unique=("routeId", "routeResponseKey"),
)

INTEGRATION: Final = resource(
    "apigatewayv2/integration:Integration",
    "apigatewayv2",
    _API_ID,
    text(
        "integrationType",
        required=True,
        replaces=True,
        choices=("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"),
    ),
    text("connectionId"),
    text("connectionType", default="INTERNET", choices=("INTERNET", "VPC_LINK")),
    text("contentHandlingStrategy", choices=("CONVERT_TO_BINARY", "CONVERT_TO_TEXT")),
    text("credentialsArn"),
    text("description"),
    text("integrationMethod", computed=True),
    text("integrationSubtype", replaces=True),
    text("integrationUri"),
    text("passthroughBehavior", computed=True),
    text("payloadFormatVersion", default="1.0", choices=("1.0", "2.0")),
    mapping("requestParameters"),
    mapping("requestTemplates"),
    # The emulator's answer leaves it out.
    text("templateSelectionExpression", told=None),
    integer("timeoutMilliseconds", "TimeoutInMillis", computed=True, within=(50, 30000)),
    out("integrationResponseSelectionExpression"),
    noun="integration",
    key={"ApiId": "apiId", "IntegrationId": "id"},
    id="{IntegrationId}",
)
