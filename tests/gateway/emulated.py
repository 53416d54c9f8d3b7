"""Our Lambdas on the sandbox cloud itself: its WebSocket, its streams, its queues, its processes.

Deployed by plain calls and not by the program, so that what differs from the gateway is the
emulator and nothing else. The program's own deployment is proven end to end elsewhere.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lambdas.catalogue import ENTRY_POINTS, FANOUT, FANOUT_BATCH_SIZE, ORDER_EVENTS, ROUTES, Env
from sandbox.cloud import Cloud
from sandbox.platform import Platform, ensure
from tests.gateway.devices import Device
from tests.gateway.queues import Queue
from tests.gateway.shared_tables import BUSINESSES, CONNECTIONS, ORDERS, SUBSCRIPTIONS, TABLES
from tests.gateway.tables import Table

LAMBDAS = Path(__file__).parents[2] / "lambdas"


@dataclass(frozen=True, kw_only=True)
class Emulated:
    """The platform with our Lambdas on it."""

    cloud: Cloud
    platform: Platform
    queue: Queue
    tables: Mapping[str, Table]

    @property
    def url(self) -> str:
        path = f"/_aws/execute-api/{self.platform.api_id}/{self.platform.stage}"
        return self.cloud.endpoint.replace("http", "ws", 1) + path

    def table(self, name: str) -> Table:
        return self.tables[name]

    def sub(self, name: str) -> str:
        return self.platform.user(name).user_id

    def register(self, device: Device, name: str) -> str:
        """Register a device for a user of the platform; gives its connection id."""
        user = self.platform.user(name)
        fields: dict[str, Any] = {"token": self.platform.token(self.cloud, name)}
        if user.business_id is not None:
            fields["businessId"] = user.business_id
        answer = device.ask("REGISTER_CONNECTION", **fields)
        assert (answer["type"], answer["entityType"]) == ("REGISTERED", user.role), answer
        return answer["connectionId"]


def deploy(cloud: Cloud) -> Emulated:
    """Put every Lambda and every route of ours onto the platform."""
    platform = ensure(cloud)
    queue = Queue.create(cloud)
    environment = {**cloud.environment(), **told(cloud, platform, queue)}
    code = our_package()
    functions = {
        entry.name: create_function(
            cloud, f"emulated-{entry.name}", entry.handler, code, environment
        )
        for entry in ENTRY_POINTS
    }
    serve(cloud, platform, functions["websocket"], ROUTES)
    mappings = cloud.client("lambda")
    mappings.create_event_source_mapping(
        EventSourceArn=queue.arn,
        FunctionName=functions[FANOUT.name],
        BatchSize=FANOUT_BATCH_SIZE,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    orders = cloud.client("dynamodb").describe_table(TableName=ORDERS.name)["Table"]
    mappings.create_event_source_mapping(
        EventSourceArn=orders["LatestStreamArn"],
        FunctionName=functions[ORDER_EVENTS.name],
        StartingPosition="LATEST",
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    return Emulated(cloud=cloud, platform=platform, queue=queue, tables=tables_of(cloud))


def tables_of(cloud: Cloud) -> dict[str, Table]:
    """The shared tables, by name."""
    client = cloud.client("dynamodb")
    return {t.name: Table(client=client, name=t.name, key=t.hash_key) for t in TABLES}


def told(cloud: Cloud, platform: Platform, queue: Queue) -> dict[str, str]:
    """What our Lambdas are told of the platform, beside where the cloud is and with whose keys."""
    issuer = f"https://cognito-idp.{cloud.region}.amazonaws.com"
    pools = [{"issuer": f"{issuer}/{p['id']}", **p} for p in platform.user_pools(cloud)]
    return {
        Env.CONNECTIONS_TABLE: CONNECTIONS.name,
        Env.SUBSCRIPTIONS_TABLE: SUBSCRIPTIONS.name,
        Env.BUSINESSES_TABLE: BUSINESSES.name,
        Env.ORDERS_TABLE: ORDERS.name,
        Env.FANOUT_QUEUE_URL: queue.url,
        Env.DEAD_LETTER_QUEUE_URL: queue.dead_letter_url,
        Env.ENDPOINT: f"{cloud.endpoint}/_aws/execute-api/{platform.api_id}/{platform.stage}",
        Env.STAGE: platform.stage,
        Env.IDENTITY_MODE: "token",
        Env.USER_POOLS: json.dumps(pools),
    }


def create_function(
    cloud: Cloud,
    name: str,
    handler: str,
    code: bytes,
    environment: Mapping[str, str],
    *,
    role: str | None = None,
    runtime: str = "python3.12",
) -> str:
    """Create a Lambda; gives its ARN."""
    function = cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime=runtime,
        Role=role or f"arn:aws:iam::000000000000:role/{name}",
        Handler=handler,
        Code={"ZipFile": code},
        Environment={"Variables": dict(environment)},
        Timeout=29,
        MemorySize=512,
    )
    return function["FunctionArn"]


def serve(cloud: Cloud, platform: Platform, function: str, routes: Iterable[str]) -> None:
    """Let a Lambda serve routes of the platform's API, two ways."""
    api: Any = cloud.client("apigatewayv2")
    integration = api.create_integration(
        ApiId=platform.api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=f"arn:aws:apigateway:{cloud.region}:lambda:path/2015-03-31/functions/"
        f"{function}/invocations",
    )
    for route in routes:
        api.create_route(
            ApiId=platform.api_id,
            RouteKey=route,
            Target=f"integrations/{integration['IntegrationId']}",
            RouteResponseSelectionExpression="$default",
        )


def our_package(more: Mapping[str, str] | None = None) -> bytes:
    """The package of our Lambdas, with more files by their texts."""
    ours = {f"lambdas/{path.relative_to(LAMBDAS)}": path for path in LAMBDAS.rglob("*.py")}
    return packed({**ours, **(more or {})})


def packed(files: Mapping[str, Path | str]) -> bytes:
    """A Lambda package of files or texts; what they import comes with the emulator's Python."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content if isinstance(content, str) else content.read_bytes())
    return package.getvalue()
