"""API Gateway v2: APIs, stages and what hangs below an API, all made by calls of one shape."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.lookups import api_endpoint
from sandbox.aws.operation import Operation
from sandbox.aws.schema import (
    Kind,
    Property,
    ResourceType,
    Tagging,
    decimal,
    flag,
    integer,
    mapping,
    out,
    properties,
    record,
    table,
    text,
    text_set,
)

_TAGGING: Final = Tagging(target="ResourceArn", listing="get_tags")


def _type(
    token: str,
    noun: str,
    keys: Mapping[str, str],
    *each: Property,
    tags: bool = False,
    **rest: Any,
) -> ResourceType:
    """Return a type that is made by `create_<noun>`, read by `get_<noun>` and so on.

    `keys` say which property each of the API's keys comes from; the last one is the resource's own.
    """
    *_, own = keys

    def key(operation: Operation) -> dict[str, Any]:
        return {
            name: operation.id if source == "id" else operation.get(source)
            for name, source in keys.items()
        }

    def create(operation: Operation) -> str:
        made = getattr(operation.api, f"create_{noun}")(
            **operation.parameters(), **(operation.tag_parameters() if tags else {})
        )
        return str(made[own])

    def read(operation: Operation) -> Mapping[str, Any]:
        where = key(operation)
        return {**getattr(operation.api, f"get_{noun}")(**where), **where}

    def update(operation: Operation) -> None:
        if parameters := operation.changed_parameters:
            getattr(operation.api, f"update_{noun}")(**{**parameters, **key(operation)})

    def delete(operation: Operation) -> None:
        getattr(operation.api, f"delete_{noun}")(**key(operation))

    return ResourceType(
        pulumi_name=f"aws:apigatewayv2/{token}",
        service="apigatewayv2",
        properties=properties(*each, tags=tags),
        create=create,
        read=read,
        update=update,
        delete=delete,
        import_id=tuple(keys.values()),
        tagging=_TAGGING if tags else None,
        **rest,
    )


def _api_outputs(operation: Operation, response: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "apiEndpoint": api_endpoint(operation.session, operation.id, response["ProtocolType"]),
        "arn": operation.arn("apigateway", f"/apis/{operation.id}", account=False),
        "executionArn": operation.arn("execute-api", operation.id),
    }


def _stage_outputs(operation: Operation, _: Mapping[str, Any]) -> Mapping[str, Any]:
    api = operation.get("apiId")
    name = operation.id
    protocol = operation.api.get_api(ApiId=api)["ProtocolType"]
    endpoint = api_endpoint(operation.session, api, protocol)
    return {
        "arn": operation.arn("apigateway", f"/apis/{api}/stages/{name}", account=False),
        "executionArn": operation.arn("execute-api", f"{api}/{name}"),
        "invokeUrl": f"{endpoint}/" if name == "$default" else f"{endpoint}/{name}",
    }


_API_ID: Final = text("apiId", required=True, replaces=True)

_ROUTE_SETTINGS: Final = (
    flag("dataTraceEnabled"),
    flag("detailedMetricsEnabled"),
    text("loggingLevel", choices=("OFF", "INFO", "ERROR"), computed=True),
    integer("throttlingBurstLimit"),
    decimal("throttlingRateLimit"),
)

API: Final = _type(
    "api:Api",
    "api",
    {"ApiId": "id"},
    text("name"),
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
    out("apiEndpoint", None),
    out("arn", None),
    out("executionArn", None),
    tags=True,
    autoname="name",
    autoname_most=128,
    outputs=_api_outputs,
)

STAGE: Final = _type(
    "stage:Stage",
    "stage",
    {"ApiId": "apiId", "StageName": "id"},
    _API_ID,
    text("name", "StageName", replaces=True),
    record(
        "accessLogSettings", text("destinationArn", required=True), text("format", required=True)
    ),
    flag("autoDeploy", default=False),
    record("defaultRouteSettings", *_ROUTE_SETTINGS),
    text("deploymentId", computed=True),
    text("description"),
    mapping("stageVariables"),
    out("arn", None),
    out("executionArn", None),
    out("invokeUrl", None),
    tags=True,
    autoname="name",
    autoname_most=128,
    unique=("apiId", "name"),
    outputs=_stage_outputs,
)

ROUTE: Final = _type(
    "route:Route",
    "route",
    {"ApiId": "apiId", "RouteId": "id"},
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
    unique=("apiId", "routeKey"),
)

ROUTE_RESPONSE: Final = _type(
    "routeResponse:RouteResponse",
    "route_response",
    {"ApiId": "apiId", "RouteId": "routeId", "RouteResponseId": "id"},
    _API_ID,
    text("routeId", required=True, replaces=True),
    text("routeResponseKey", required=True),
    text("modelSelectionExpression"),
    mapping("responseModels"),
    unique=("routeId", "routeResponseKey"),
)

INTEGRATION: Final = _type(
    "integration:Integration",
    "integration",
    {"ApiId": "apiId", "IntegrationId": "id"},
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
    text("templateSelectionExpression"),
    integer("timeoutMilliseconds", "TimeoutInMillis", computed=True, least=50, most=30000),
    out("integrationResponseSelectionExpression"),
    gaps=frozenset({"templateSelectionExpression"}),
)

INTEGRATION_RESPONSE: Final = _type(
    "integrationResponse:IntegrationResponse",
    "integration_response",
    {"ApiId": "apiId", "IntegrationId": "integrationId", "IntegrationResponseId": "id"},
    _API_ID,
    text("integrationId", required=True, replaces=True),
    text("integrationResponseKey", required=True),
    text("contentHandlingStrategy", choices=("CONVERT_TO_BINARY", "CONVERT_TO_TEXT")),
    mapping("responseTemplates"),
    text("templateSelectionExpression"),
    unique=("integrationId", "integrationResponseKey"),
)

DEPLOYMENT: Final = _type(
    "deployment:Deployment",
    "deployment",
    {"ApiId": "apiId", "DeploymentId": "id"},
    _API_ID,
    # On AWS the description can change; the emulator has no UpdateDeployment.
    text("description", replaces=True),
    mapping("triggers", None, replaces=True),
    out("autoDeployed", kind=Kind.FLAG),
)

AUTHORIZER: Final = _type(
    "authorizer:Authorizer",
    "authorizer",
    {"ApiId": "apiId", "AuthorizerId": "id"},
    _API_ID,
    text("authorizerType", required=True, choices=("REQUEST", "JWT")),
    text("name"),
    text("authorizerCredentialsArn"),
    text("authorizerPayloadFormatVersion", computed=True, choices=("1.0", "2.0")),
    integer("authorizerResultTtlInSeconds", computed=True, least=0, most=3600),
    text("authorizerUri"),
    flag("enableSimpleResponses"),
    text_set("identitySources", "IdentitySource"),
    record("jwtConfiguration", text_set("audiences", "Audience"), text("issuer")),
    autoname="name",
    autoname_most=128,
)

TYPES: Final = table(
    API,
    STAGE,
    ROUTE,
    ROUTE_RESPONSE,
    INTEGRATION,
    INTEGRATION_RESPONSE,
    DEPLOYMENT,
    AUTHORIZER,
)
