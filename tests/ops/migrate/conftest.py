"""A legacy stack in the sandbox, the shared side beside it, and a migration between the two."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ops.deployed import Deployed, parse
from ops.migrate import change_set, drain, drift, update
from ops.migrate.journal import JournalStore
from ops.migrate.migration import Migration
from sandbox import platform
from sandbox.cloud import Cloud
from sandbox.platform.legacy import ensure_legacy


class Screen:
    """What the operator saw; `stop_at` ends the run there, as a kill would."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.stop_at = ""

    def say(self, text: str) -> None:
        self.lines.append(text)
        if self.stop_at and text.endswith(self.stop_at):
            raise KeyboardInterrupt

    @contextmanager
    def counting(self, what: str) -> Generator[Callable[[int, int | None], None]]:
        yield lambda done, total: self.say(f"{what} {done} {total}")


@pytest.fixture(autouse=True)
def _quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_set, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(drain, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(update, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(drift, "POLL_SECONDS", 0.05)


@pytest.fixture
def orders(cloud: Cloud, unique: Callable[[str], str]) -> Iterator[str]:
    """The ARN of the orders' stream, of a table of this test alone."""
    table = unique("orders")
    description = cloud.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "orderId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "orderId", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    yield description["LatestStreamArn"]
    cloud.client("dynamodb").delete_table(TableName=table)


@pytest.fixture
def stack(cloud: Cloud, orders: str, unique: Callable[[str], str]) -> Iterator[str]:
    """The name of a legacy stack of this test alone."""
    name = unique("legacy")
    ensure_legacy(cloud, orders_stream_arn=orders, name=name)
    yield name
    cloud.client("cloudformation").delete_stack(StackName=name)


@pytest.fixture
def order_events(cloud: Cloud, orders: str, unique: Callable[[str], str]) -> Iterator[str]:
    """A Lambda of the shared side that reads the orders."""
    name, client = unique("order-events"), cloud.client("lambda")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): pass")
    client.create_function(
        FunctionName=name,
        Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        Role=f"arn:aws:iam::000000000000:role/{name}",
        Handler="index.handler",
        Code={"ZipFile": code.getvalue()},
    )
    client.create_event_source_mapping(
        EventSourceArn=orders, FunctionName=name, StartingPosition="LATEST"
    )
    yield name
    for mapping in client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
        client.delete_event_source_mapping(UUID=mapping["UUID"])
    client.delete_function(FunctionName=name)


@pytest.fixture
def outputs(cloud: Cloud, order_events: str) -> dict[str, Any]:
    """The outputs of a stack on the shared side."""
    shared = platform.ensure(cloud)
    base = f"127.0.0.1:{cloud.port}/_aws/execute-api/{shared.api_id}/{shared.stage}"
    return {
        "sharedWebSocketApiId": shared.api_id,
        "webSocketUrl": f"ws://{base}",
        "managementEndpoint": f"http://{base}",
        "connectionsTable": "WizzUser_websocket_connections_sandbox",
        "subscriptionsTable": "WizzUser_websocket_subscriptions_sandbox",
        "routes": [],
        "functions": {"order_events": order_events},
        "sandbox": {"endpoint": cloud.endpoint, "region": cloud.region, "users": []},
    }


@pytest.fixture
def deployed(outputs: dict[str, Any]) -> Deployed:
    """The shared side, as a stack's outputs describe it."""
    return parse(outputs)


@pytest.fixture
def outputs_file(outputs: dict[str, Any], tmp_path: Path) -> Path:
    """The outputs in a file, as a command takes them."""
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(outputs))
    return file


@pytest.fixture
def screen() -> Screen:
    """What the operator of the migration saw."""
    return Screen()


@pytest.fixture
def migration(cloud: Cloud, deployed: Deployed, stack: str, screen: Screen) -> Migration:
    """A migration whose verification of the shared side passes."""
    return Migration(
        deployed=deployed,
        stack=stack,
        profile=None,
        store=JournalStore(cloud.client("ssm"), stack),
        screen=screen,
        verified=lambda: True,
    )
