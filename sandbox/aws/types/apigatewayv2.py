"""API Gateway v2: APIs, stages and what hangs below an API."""

from typing import Any, Final

from sandbox.aws.operation import Operation
from sandbox.aws.schema import (
    TAGS,
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
    protocol = operation.call("get_api")["ProtocolType"]
    name = found["StageName"].replace("$default", "")
    return {**found, "InvokeUrl": f"{_endpoint(operation, found['ApiId'], protocol)}/{name}"}


API: Final = resource(
    "apigatewayv2/api:Api",
    text("name", autoname=128),
    text("protocolType", required=True, replaces=True, choices=("HTTP", "WEBSOCKET")),
    text("apiKeySelectionExpression", default="$request.header.x-api-key"),
    record(
        "corsConfiguration",
        flag("allowCredentials"),
        text_set("allowHeaders allowMethods allowOrigins exposeHeaders"),
        integer("maxAge"),
    ),
    text("description version"),
    flag("disableExecuteApiEndpoint", default=False),
    text("ipAddressType", computed=True, choices=("ipv4", "dualstack")),
    text("routeSelectionExpression", default="$request.method $request.path"),
    out("apiEndpoint"),
    out("arn", None, template="arn:aws:apigateway:{region}::/apis/{id}"),
    out("executionArn", None, template="arn:aws:execute-api:{region}:{account}:{id}"),
    TAGS,
    noun="api",
    tells=_api_told,
    key={"ApiId": "id"},
)

STAGE: Final = resource(
    "apigatewayv2/stage:Stage",
    text("apiId", required=True, replaces=True),
    text("name", "StageName", replaces=True, autoname=128),
    record("accessLogSettings", text("destinationArn format", required=True)),
    flag("autoDeploy", default=False),
    record(
        "defaultRouteSettings",
        flag("dataTraceEnabled detailedMetricsEnabled"),
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
    TAGS,
    noun="stage",
    tells=_stage_told,
    key={"ApiId": "apiId", "StageName": "id"},
    unique=("apiId", "name"),
)

ROUTE: Final = resource(
    "apigatewayv2/route:Route",
    text("apiId", required=True, replaces=True),
    text("routeKey", required=True),
    flag("apiKeyRequired", default=False),
    text_set("authorizationScopes"),
    text("authorizationType", default="NONE", choices=("NONE", "AWS_IAM", "CUSTOM", "JWT")),
    text("authorizerId modelSelectionExpression operationName target"),
    text("routeResponseSelectionExpression"),
    mapping("requestModels"),
    noun="route",
    key={"ApiId": "apiId", "RouteId": "id"},
    unique=("apiId", "routeKey"),
)

ROUTE_RESPONSE: Final = resource(
    "apigatewayv2/routeResponse:RouteResponse",
    text("apiId routeId", required=True, replaces=True),
    text("routeResponseKey", required=True),
    text("modelSelectionExpression"),
    mapping("responseModels"),
    noun="route_response",
    key={"ApiId": "apiId", "RouteId": "routeId", "RouteResponseId": "id"},
    unique=("routeId", "routeResponseKey"),
)

_INTEGRATIONS: Final = ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK")

INTEGRATION: Final = resource(
    "apigatewayv2/integration:Integration",
    text("apiId", required=True, replaces=True),
    text("integrationType", required=True, replaces=True, choices=_INTEGRATIONS),
    text("connectionId credentialsArn description integrationUri"),
    text("connectionType", default="INTERNET", choices=("INTERNET", "VPC_LINK")),
    text("contentHandlingStrategy", choices=("CONVERT_TO_BINARY", "CONVERT_TO_TEXT")),
    text("integrationMethod passthroughBehavior", computed=True),
    text("integrationSubtype", replaces=True),
    text("payloadFormatVersion", default="1.0", choices=("1.0", "2.0")),
    mapping("requestParameters requestTemplates"),
    # The emulator's answer leaves it out.
    text("templateSelectionExpression", told=None),
    integer("timeoutMilliseconds", "TimeoutInMillis", computed=True, within=(50, 30000)),
    out("integrationResponseSelectionExpression"),
    noun="integration",
    key={"ApiId": "apiId", "IntegrationId": "id"},
)
