"""Messages, round trip: beside a Lambda of the emulator that returns at once, and its calls.

The emulator takes 45 ms longer over an invocation that logs nothing; the floor writes a line too.
"""

import contextlib
import io
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from bench.ratio import Goal, Ratio
from sandbox import cloud as sandbox_cloud
from sandbox.cloud import Cloud
from sandbox.platform.tables import CONNECTIONS
from tests.gateway.devices import Device
from tests.gateway.emulated import create_function, deploy, packed, serve

ROUNDS = 60
FLOOR = """
def handler(event, context):
    print("message")
    return {"statusCode": 200, "body": '{"type": "FLOOR"}'}
"""


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as home:
        cloud = sandbox_cloud.start(Path(home), tied=True)
        try:
            return _run(cloud)
        finally:
            cloud.stop()


def _run(cloud: Cloud) -> list[Ratio]:
    emulated = deploy(cloud)
    code = packed({"floor.py": FLOOR})
    floor = create_function(cloud, "bench-floor", "floor.handler", code, {})
    serve(cloud, emulated.platform, floor, ["floor"])
    row = {"connectionId": {"S": "bench"}, "entityType": {"S": "customer"}}
    cloud.client("dynamodb").put_item(TableName=CONNECTIONS, Item=row)
    with contextlib.redirect_stdout(io.StringIO()), Device(url=emulated.url) as device:
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
