"""The story of the move: two hundred devices, orders flowing, and nobody misses one."""

import asyncio
import json
import time
from collections import Counter

import pytest
import websockets

from sandbox import cloud as sandbox_cloud
from sandbox.platform.legacy import LEGACY_STACK, ensure_legacy

pytestmark = [pytest.mark.cloud, pytest.mark.timeout(400)]

DEVICES = 100
"""Of each of the two merchants."""

HANDSHAKES = asyncio.Semaphore(4)
"""Connections that open at once: the emulator starts a process for every Lambda that is busy."""

ORDERS = "WizzOrders_sandbox"


class Device:
    """A merchant's device: on the old API until it is asked to move, and what it was sent."""

    def __init__(self, business, token):
        self.business = business
        self.token = token
        self.events = []
        self.moved = False

    async def live(self, url):
        """Listen on the old API; when asked, move to the new one and listen there."""
        target = await self._listen(f"{url}?businessId={self.business}")
        if target is not None:
            await self._live_on_shared(target)

    async def _listen(self, url):
        async with HANDSHAKES:
            socket = await websockets.connect(url, proxy=None, open_timeout=60)
        async with socket:
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "reconnect":
                    await asyncio.sleep(message["afterMs"] / 1000)
                    return message["url"]
                self._note(message, "old")
        return None

    async def _live_on_shared(self, url):
        async with HANDSHAKES:
            socket = await websockets.connect(url, proxy=None, open_timeout=60)
            for message in (
                {"action": "REGISTER_CONNECTION", "token": self.token},
                {"action": "SUBSCRIBE_ORDERS"},
            ):
                await socket.send(json.dumps({**message, "businessId": self.business}))
            while not self.moved:
                self._take(await socket.recv())
        async with socket:
            async for text in socket:
                self._take(text)

    def _take(self, text):
        message = json.loads(text)
        self.moved = self.moved or message.get("type") == "SUBSCRIBED"
        self._note(message, "shared")

    def _note(self, message, side):
        if message.get("type") == "NEW_ORDER":
            order = message["payload"]["data"]["orderId"]
            self.events.append((side, message["eventId"], order))

    @property
    def orders(self):
        """The orders that it knows of, on whichever side it heard."""
        return {order for _, _, order in self.events}


@pytest.mark.asyncio
async def test_two_hundred_devices_move_and_no_order_is_missed(clone, tmp_path):
    assert clone.make("up").returncode == 0
    outputs = clone.outputs()
    cloud = sandbox_cloud.connect(clone.root / ".sandbox")
    stream = cloud.client("dynamodb").describe_table(TableName=ORDERS)["Table"]["LatestStreamArn"]
    legacy = await asyncio.to_thread(ensure_legacy, cloud, orders_stream_arn=stream)
    api = {o["OutputKey"]: o["OutputValue"] for o in legacy["Outputs"]}["WebSocketApiId"]
    url = f"ws://127.0.0.1:{cloud.port}/_aws/execute-api/{api}/sandbox"
    merchants = [user for user in outputs["sandbox"]["users"] if user["role"] == "merchant"]
    devices = []
    for merchant in merchants:
        token = clone.sandbox("token", merchant["name"]).stdout.strip()
        devices += [Device(merchant["businessId"], token) for _ in range(DEVICES)]
    lives = [asyncio.create_task(device.live(url)) for device in devices]
    placed = {merchant["businessId"]: [] for merchant in merchants}
    stop = asyncio.Event()
    table = f"{LEGACY_STACK}-websocket-connections"
    await _until(lambda: _rows(cloud, table) == len(devices))
    selling = asyncio.create_task(_sell(cloud, placed, stop))
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(outputs))
    migrated = await asyncio.to_thread(
        clone.run,
        *(".venv/bin/python", "-m", "ops", "migrate", "apply", "--outputs", str(file)),
        *("--legacy-stack", LEGACY_STACK, "--yes", "--backup-dir", str(tmp_path / "backup")),
        *("--token-command", ".venv/bin/python -m sandbox token {name}"),
    )
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    await _until(lambda: all(device.moved for device in devices))
    stop.set()
    await selling
    await _until(lambda: all(set(placed[d.business]) <= d.orders for d in devices))
    for device in devices:
        assert device.orders <= set(placed[device.business]) | _verifications(device)
        seen = Counter((side, event) for side, event, _ in device.events)
        assert max(seen.values()) == 1, "an event came twice on one connection"
    kept = cloud.client("cloudformation").describe_stack_resources(StackName=LEGACY_STACK)
    types = {resource["ResourceType"] for resource in kept["StackResources"]}
    assert not any(kind.startswith("AWS::ApiGatewayV2::") for kind in types)
    assert "AWS::DynamoDB::Table" not in types
    stack = cloud.client("cloudformation").describe_stacks(StackName=LEGACY_STACK)["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    for life in lives:
        life.cancel()


async def _sell(cloud, placed, stop):
    """Place an order of each business again and again until it is time to stop."""
    number = 0
    while not stop.is_set():
        for business, orders in placed.items():
            order = f"{business}-{number}"
            item = {
                "orderId": {"S": order},
                "businessId": {"S": business},
                "status": {"S": "pending"},
                "createdAt": {"S": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())},
            }
            await asyncio.to_thread(cloud.client("dynamodb").put_item, TableName=ORDERS, Item=item)
            orders.append(order)
        number += 1
        await asyncio.sleep(4)


def _verifications(device):
    """Orders that the verification placed for a moment."""
    return {order for order in device.orders if order.startswith("verify-")}


def _rows(cloud, table):
    return cloud.client("dynamodb").scan(TableName=table, Select="COUNT")["Count"]


async def _until(condition, patience=120):
    async with asyncio.timeout(patience):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - the cloud tells nobody
            await asyncio.sleep(0.2)
