"""API Gateway v2: APIs, stages and what hangs below an API."""

from typing import Any, Final

from sandbox.aws import schema as row
from sandbox.aws.operation import Operation


def _api_told(operation: Operation, found: dict[str, Any]) -> dict[str, Any]:
    """Complete an API by its address, without a stage, in the form that reaches the gateway here.

    On AWS it is `wss://ID.execute-api.REGION.amazonaws.com`; names below `localhost` do not resolve
    on every machine, so the API's id stands in the path here.
    """
    return {**found, "ApiEndpoint": _endpoint(operation, operation.id, found["ProtocolType"])}


def _endpoint(operation: Operation, api_id: str, protocol: str) -> str:
    scheme = "ws" if protocol == "WEBSOCKET" else "http"
    _, _, authority = operation.session.endpoint.partition("://")
    return f"{scheme}://{authority}/_aws/execute-api/{api_id}"


def _stage_told(operation: Operation, found: dict[str, Any]) -> dict[str, Any]:
    protocol = operation.call("get_api")["ProtocolType"]
    name = found["StageName"].replace("$default", "")
    return {**found, "InvokeUrl": f"{_endpoint(operation, found['ApiId'], protocol)}/{name}"}


API: Final = row.resource(
    "apigatewayv2/api:Api",
    row.text("name", autoname=128),
    row.text("protocolType", required=True, replaces=True, choices=("HTTP", "WEBSOCKET")),
    row.text("apiKeySelectionExpression", default="$request.header.x-api-key"),
    row.record(
        "corsConfiguration",
        row.flag("allowCredentials"),
        row.text_set("allowHeaders allowMethods allowOrigins exposeHeaders"),
        row.integer("maxAge"),
    ),
    row.text("description version"),
    row.flag("disableExecuteApiEndpoint", default=False),
    row.text("ipAddressType", computed=True, choices=("ipv4", "dualstack")),
    row.text("routeSelectionExpression", default="$request.method $request.path"),
    row.out("apiEndpoint"),
    row.out("arn", None, template="arn:aws:apigateway:{region}::/apis/{id}"),
    row.out("executionArn", None, template="arn:aws:execute-api:{region}:{account}:{id}"),
    row.TAGS,
    noun="api",
    tells=_api_told,
    key={"ApiId": "id"},
)

STAGE: Final = row.resource(
    "apigatewayv2/stage:Stage",
    row.text("apiId", required=True, replaces=True),
    row.text("name", "StageName", replaces=True, autoname=128),
    row.record("accessLogSettings", row.text("destinationArn format", required=True)),
    row.flag("autoDeploy", default=False),
    row.record(
        "defaultRouteSettings",
        row.flag("dataTraceEnabled detailedMetricsEnabled"),
        row.text("loggingLevel", choices=("OFF", "INFO", "ERROR"), computed=True),
        row.integer("throttlingBurstLimit"),
        row.decimal("throttlingRateLimit"),
    ),
    row.text("deploymentId", computed=True),
    row.text("description"),
    row.mapping("stageVariables"),
    row.out("arn", None, template="arn:aws:apigateway:{region}::/apis/{apiId}/stages/{id}"),
    row.out("executionArn", None, template="arn:aws:execute-api:{region}:{account}:{apiId}/{id}"),
    row.out("invokeUrl"),
    row.TAGS,
    noun="stage",
    tells=_stage_told,
    key={"ApiId": "apiId", "StageName": "id"},
    unique=("apiId", "name"),
)

ROUTE: Final = row.resource(
    "apigatewayv2/route:Route",
    row.text("apiId", required=True, replaces=True),
    row.text("routeKey", required=True),
    row.flag("apiKeyRequired", default=False),
    row.text_set("authorizationScopes"),
    row.text("authorizationType", default="NONE", choices=("NONE", "AWS_IAM", "CUSTOM", "JWT")),
    row.text("authorizerId modelSelectionExpression operationName target"),
    row.text("routeResponseSelectionExpression"),
    row.mapping("requestModels"),
    noun="route",
    key={"ApiId": "apiId", "RouteId": "id"},
    unique=("apiId", "routeKey"),
)

ROUTE_RESPONSE: Final = row.resource(
    "apigatewayv2/routeResponse:RouteResponse",
    row.text("apiId routeId", required=True, replaces=True),
    row.text("routeResponseKey", required=True),
    row.text("modelSelectionExpression"),
    row.mapping("responseModels"),
    noun="route_response",
    key={"ApiId": "apiId", "RouteId": "routeId", "RouteResponseId": "id"},
    unique=("routeId", "routeResponseKey"),
)

_INTEGRATIONS: Final = ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK")

INTEGRATION: Final = row.resource(
    "apigatewayv2/integration:Integration",
    row.text("apiId", required=True, replaces=True),
    row.text("integrationType", required=True, replaces=True, choices=_INTEGRATIONS),
    row.text("credentialsArn description integrationUri"),
    row.text("contentHandlingStrategy", choices=("CONVERT_TO_BINARY", "CONVERT_TO_TEXT")),
    row.text("integrationMethod passthroughBehavior", computed=True),
    row.text("payloadFormatVersion", default="1.0", choices=("1.0", "2.0")),
    row.mapping("requestParameters requestTemplates"),
    row.integer("timeoutMilliseconds", "TimeoutInMillis", computed=True, within=(50, 30000)),
    row.out("integrationResponseSelectionExpression"),
    noun="integration",
    key={"ApiId": "apiId", "IntegrationId": "id"},
)
