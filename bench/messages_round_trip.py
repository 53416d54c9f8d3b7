"""Messages, round trip: beside a Lambda of the emulator that returns at once, and its calls.

The emulator takes 45 ms longer over an invocation that logs nothing; the floor writes a line too.
"""

import contextlib
import io
import statistics
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.ratio import Goal, Ratio
from lambdas.catalogue import Env
from sandbox import cloud as sandbox_cloud
from sandbox.cloud import Cloud
from sandbox.platform import Platform, ensure
from sandbox.platform.tables import STAGE
from tests.gateway.devices import Device

ROUNDS = 60
FLOOR = """
def handler(event, context):
    print("message")
    return {"statusCode": 200, "body": '{"type": "FLOOR"}'}
"""
CONNECTIONS = f"WizzUser_websocket_connections_{STAGE}"
LAMBDAS = Path(__file__).parent.parent / "lambdas"


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as home:
        cloud = sandbox_cloud.start(Path(home), tied=True)
        try:
            return _run(cloud)
        finally:
            cloud.stop()


def _run(cloud: Cloud) -> list[Ratio]:
    platform = ensure(cloud)
    _serve(cloud, platform, "bench-floor", {"floor.py": FLOOR}, "floor.handler", {}, ["floor"])
    ours = {
        f"lambdas/{path.relative_to(LAMBDAS)}": path.read_text() for path in LAMBDAS.rglob("*.py")
    }
    environment = {
        **cloud.environment(),
        Env.CONNECTIONS_TABLE: CONNECTIONS,
        Env.SUBSCRIPTIONS_TABLE: f"WizzUser_websocket_subscriptions_{STAGE}",
        Env.BUSINESSES_TABLE: f"WhizzMerchants_Businesses_{STAGE}",
        Env.USER_POOLS: "[]",
    }
    routes = ["PING", "HEARTBEAT"]
    _serve(cloud, platform, "bench-ours", ours, "lambdas.websocket.handler", environment, routes)
    row = {"connectionId": {"S": "bench"}, "entityType": {"S": "customer"}}
    cloud.client("dynamodb").put_item(TableName=CONNECTIONS, Item=row)
    path = f"/_aws/execute-api/{platform.api_id}/{platform.stage}"
    url = cloud.endpoint.replace("http", "ws", 1) + path
    with contextlib.redirect_stdout(io.StringIO()), Device(url=url) as device:
        floor, ping, heartbeat, update = _medians(
            lambda: _plain(device, "floor", "FLOOR"),
            lambda: _plain(device, "PING", "PONG"),
            lambda: _plain(device, "HEARTBEAT", "HEARTBEAT_ACK"),
            lambda: _update(cloud),
        )
    return [
        _ratio("PING", ping, floor, "a Lambda that returns at once"),
        _ratio("HEARTBEAT", heartbeat, floor + update, "the same and one UpdateItem"),
    ]


def _ratio(what: str, ours: float, peer: float, against: str) -> Ratio:
    return Ratio(
        what=f"round trip of {what}",
        ours=ours * 1000,
        peer=peer * 1000,
        unit="ms",
        against=against,
        goal=Goal.AT_MOST,
        bound=1.1,
    )


def _plain(device: Device, action: str, type_: str) -> None:
    answer = device.ask_plain(action)
    assert answer["type"] == type_, answer


def _update(cloud: Cloud) -> None:
    """What a heartbeat cannot do without."""
    cloud.client("dynamodb").update_item(
        TableName=CONNECTIONS,
        Key={"connectionId": {"S": "bench"}},
        UpdateExpression="SET #ttl = :ttl, #lastHeartbeat = :now",
        ConditionExpression="attribute_exists(#connectionId)",
        ExpressionAttributeNames={
            "#ttl": "ttl",
            "#lastHeartbeat": "lastHeartbeat",
            "#connectionId": "connectionId",
        },
        ExpressionAttributeValues={":ttl": {"N": "1"}, ":now": {"S": "2026-01-01T00:00:00.000Z"}},
        ReturnValues="ALL_NEW",
    )


def _medians(*actions: Callable[[], None]) -> list[float]:
    """Medians of actions taken in turn, so that all meet the same weather."""
    for action in actions * 3:
        action()
    times: list[list[float]] = [[] for _ in actions]
    for _ in range(ROUNDS):
        for action, taken in zip(actions, times, strict=True):
            began = perf_counter()
            action()
            taken.append(perf_counter() - began)
    return [statistics.median(taken) for taken in times]


def _serve(
    cloud: Cloud,
    platform: Platform,
    name: str,
    files: dict[str, str],
    handler: str,
    environment: dict[str, str],
    routes: list[str],
) -> None:
    """Deploy a Lambda and let it serve routes of the platform's API."""
    function = cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=f"arn:aws:iam::000000000000:role/{name}",
        Handler=handler,
        Code={"ZipFile": _zip(files)},
        Environment={"Variables": environment},
        Timeout=29,
        MemorySize=512,
    )
    api: Any = cloud.client("apigatewayv2")
    integration = api.create_integration(
        ApiId=platform.api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=f"arn:aws:apigateway:{cloud.region}:lambda:path/2015-03-31/functions/"
        f"{function['FunctionArn']}/invocations",
    )
    for route in routes:
        api.create_route(
            ApiId=platform.api_id,
            RouteKey=route,
            Target=f"integrations/{integration['IntegrationId']}",
            RouteResponseSelectionExpression="$default",
        )


def _zip(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return packed.getvalue()
