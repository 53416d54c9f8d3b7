"""The shared WebSocket API with the platform's own Lambdas behind its lifecycle routes."""

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any, Final

from sandbox.cloud import Cloud
from sandbox.platform.tables import CONNECTIONS, STAGE

API_NAME: Final = f"WizzUser-WebSocket-{STAGE}"
_ROLE: Final = f"WizzUser-WebSocket-{STAGE}"
_FUNCTIONS: Final = {
    "$connect": (f"WizzUser-WebSocketConnect-{STAGE}", "connect"),
    "$disconnect": (f"WizzUser-WebSocketDisconnect-{STAGE}", "disconnect"),
    "$default": (f"WizzUser-WebSocketDefault-{STAGE}", "default"),
}
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def ensure_api(cloud: Cloud) -> str:
    """Return the id of the shared API; made complete when there is none of that name."""
    gateway = cloud.client("apigatewayv2")
    found = [api for api in gateway.get_apis()["Items"] if api["Name"] == API_NAME]
    if found:
        return str(found[0]["ApiId"])
    role = _ensure_role(cloud)
    functions = {
        route: _ensure_function(cloud, name, module, role)
        for route, (name, module) in _FUNCTIONS.items()
    }
    api_id = str(
        gateway.create_api(
            Name=API_NAME,
            ProtocolType="WEBSOCKET",
            RouteSelectionExpression="$request.body.action",
            Tags={"Stack": f"WizzUser-Stack-{STAGE.capitalize()}"},
        )["ApiId"]
    )
    for route, arn in functions.items():
        _create_route(cloud, api_id, route, arn)
    gateway.create_stage(ApiId=api_id, StageName=STAGE, AutoDeploy=True)
    return api_id


def _create_route(cloud: Cloud, api_id: str, route: str, function_arn: str) -> None:
    gateway = cloud.client("apigatewayv2")
    integration = gateway.create_integration(
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationMethod="POST",
        IntegrationUri=(
            f"arn:aws:apigateway:{cloud.region}:lambda:path/2015-03-31/functions/"
            f"{function_arn}/invocations"
        ),
    )["IntegrationId"]
    # Only a route that answers has a response; lifecycle routes answer by their status.
    answers: dict[str, Any] = (
        {"RouteResponseSelectionExpression": "$default"} if route == "$default" else {}
    )
    created = gateway.create_route(
        ApiId=api_id, RouteKey=route, Target=f"integrations/{integration}", **answers
    )
    if answers:
        gateway.create_route_response(
            ApiId=api_id, RouteId=created["RouteId"], RouteResponseKey="$default"
        )
    account = function_arn.split(":")[4]
    cloud.client("lambda").add_permission(
        FunctionName=function_arn,
        StatementId=f"{api_id}-{route.lstrip('$')}",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{cloud.region}:{account}:{api_id}/{STAGE}/{route}",
    )


def _ensure_function(cloud: Cloud, name: str, module: str, role_arn: str) -> str:
    functions = cloud.client("lambda")
    try:
        created = functions.create_function(
            FunctionName=name,
            Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
            Handler=f"{module}.handler",
            Role=role_arn,
            Code={"ZipFile": _package(module)},
            Timeout=10,
            MemorySize=256,
            Environment={"Variables": {"WEBSOCKET_CONNECTIONS_TABLE": CONNECTIONS.name}},
        )
    except functions.exceptions.ResourceConflictException:
        return str(functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"])
    return str(created["FunctionArn"])


def _ensure_role(cloud: Cloud) -> str:
    iam = cloud.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    try:
        arn = iam.create_role(RoleName=_ROLE, AssumeRolePolicyDocument=json.dumps(trust))["Role"][
            "Arn"
        ]
    except iam.exceptions.EntityAlreadyExistsException:
        arn = iam.get_role(RoleName=_ROLE)["Role"]["Arn"]
    account = arn.split(":")[4]
    table = f"arn:aws:dynamodb:{cloud.region}:{account}:table/{CONNECTIONS.name}"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["dynamodb:PutItem", "dynamodb:DeleteItem"],
                "Resource": table,
            },
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": "*",
            },
        ],
    }
    iam.put_role_policy(RoleName=_ROLE, PolicyName="connections", PolicyDocument=json.dumps(policy))
    return str(arn)


def _package(module: str) -> bytes:
    """Return the zip of one handler: one file, the same bytes every time."""
    source = Path(__file__).with_name("functions").joinpath(f"{module}.py")
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(source.name, _EPOCH)
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, source.read_bytes())
    return held.getvalue()
