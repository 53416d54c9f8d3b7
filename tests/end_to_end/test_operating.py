"""The operator's commands on a deployed stack, and the story of the move."""

import asyncio
import json
import time
from collections import Counter

import pytest
import websockets

from ops.cost.model import ALARMS
from sandbox import cloud as sandbox_cloud
from sandbox.platform.legacy import LEGACY_STACK, ensure_legacy

pytestmark = [pytest.mark.cloud, pytest.mark.timeout(400)]

DEVICES = 200
"""Half of them each merchant's."""

HANDSHAKES = 4
"""Connections that open at once: the emulator starts a process for every Lambda that is busy."""

ORDERS = "WizzOrders_sandbox"


class Device:
    """A merchant's device: on the old API until it is asked to move, and what it was sent."""

    def __init__(self, business, token, handshakes):
        self.business = business
        self.handshakes = handshakes
        self.token = token
        self.events = []
        self.moved = False

    async def live(self, url):
        """Listen on the old API; when asked, move to the new one and listen there."""
        target = await self._listen(f"{url}?businessId={self.business}")
        if target is not None:
            await self._live_on_shared(target)

    async def _listen(self, url):
        async with self.handshakes:
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
        async with self.handshakes:
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


TOKENS = ("--token-command", ".venv/bin/python -m sandbox token {name}")


@pytest.fixture(scope="module")
def stack(clone, tmp_path_factory):
    """A deployed stack; gives the file that holds its outputs."""
    assert clone.make("up").returncode == 0
    file = tmp_path_factory.mktemp("outputs") / "outputs.json"
    file.write_text(json.dumps(clone.outputs()))
    return file


def _ops(clone, command, stack, *options):
    return clone.run(*(".venv/bin/python", "-m", "ops", command, "--outputs", str(stack), *options))


def test_verification_passes_every_step_and_leaves_no_row(clone, stack):
    verified = _ops(clone, "verify", stack, "--format", "json", *TOKENS)
    report = json.loads(verified.stdout)
    assert [step for step in report["steps"] if step["outcome"] != "passed"] == []
    assert verified.returncode == 0
    rows = json.loads(_ops(clone, "status", stack, "--json").stdout)
    assert rows["subscriptions"]["without a connection"] == 0
    assert "business" not in rows["subscriptions"]


def test_verification_without_a_token_could_not_be_tried(clone, stack):
    verified = _ops(clone, "verify", stack)
    assert verified.returncode == 2
    assert "VERIFY_MERCHANT_TOKEN" in verified.stderr


def test_verification_of_what_does_not_hold_fails(clone, stack, tmp_path):
    outputs = json.loads(stack.read_text())
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(outputs | {"webSocketUrl": "ws://127.0.0.1:9/api/sandbox"}))
    verified = _ops(clone, "verify", broken, "--format", "json", *TOKENS)
    assert verified.returncode == 1
    assert json.loads(verified.stdout)["steps"][0]["outcome"] == "failed"


def test_the_bill_counts_the_alarms_that_the_stack_has(clone, stack):
    alarms = json.loads(_ops(clone, "status", stack, "--json").stdout)["alarms"]["all"]
    assert sum(int(part.split()[0]) for part in alarms.split(", ")) == ALARMS


def test_drift_of_the_platform_shows_in_the_status(clone, stack):
    cloud = sandbox_cloud.connect(clone.root / ".sandbox")
    gateway = cloud.client("apigatewayv2")
    api = json.loads(stack.read_text())["sharedWebSocketApiId"]
    gateway.update_stage(ApiId=api, StageName="sandbox", AutoDeploy=False)
    try:
        drifted = json.loads(_ops(clone, "status", stack, "--json").stdout)
    finally:
        gateway.update_stage(ApiId=api, StageName="sandbox", AutoDeploy=True)
    assert "no longer deploys by itself" in drifted["shared platform"]["stage sandbox"]
    steady = json.loads(_ops(clone, "status", stack, "--json").stdout)
    assert steady["shared platform"] == {"as we rely on it": "yes"}


def test_the_client_contract_names_the_stacks_url_and_finds_an_app_that_has_another(
    clone, stack, tmp_path
):
    url = json.loads(stack.read_text())["webSocketUrl"]
    contract = json.loads(_ops(clone, "client-config", stack).stdout)
    assert contract["webSocketUrl"] == url
    assert contract["protocol"]
    defines = tmp_path / "defines.json"
    defines.write_text(json.dumps({"WEBSOCKET_URL": url}))
    assert _ops(clone, "client-config", stack, "--check", str(defines)).returncode == 0
    defines.write_text(json.dumps({"WEBSOCKET_URL": url.removesuffix("/sandbox")}))
    assert _ops(clone, "client-config", stack, "--check", str(defines)).returncode == 1


def _straight(clone, migrate):
    """Apply, from beginning to end."""
    migrated = clone.run(*migrate("apply"))
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr


def _with_a_kill_and_a_rollback(clone, migrate):
    """Killed while clients move, rolled back, applied anew and killed there once more."""
    _kill_at(clone, migrate("apply"), "4. drain")
    held = clone.run(*migrate("apply"))
    assert held.returncode == 2
    assert "--take-over" in held.stderr
    rolled_back = clone.run(*migrate("rollback", "--take-over"))
    assert rolled_back.returncode == 0, rolled_back.stdout + rolled_back.stderr
    _kill_at(clone, migrate("apply"), "5. retire")
    migrated = clone.run(*migrate("apply", "--take-over"))
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr


def _kill_at(clone, command, line):
    """Run a command until it prints this line, and kill it there."""
    process = clone.start(*command)
    for said in process.stdout:
        if said.strip() == line:
            break
    process.kill()
    process.wait()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "apply",
    [_straight, _with_a_kill_and_a_rollback],
    ids=["straight", "with a kill and a rollback"],
)
async def test_devices_move_while_orders_flow_and_no_order_is_missed(clone, stack, tmp_path, apply):
    outputs = json.loads(stack.read_text())
    cloud = sandbox_cloud.connect(clone.root / ".sandbox")
    name = f"{LEGACY_STACK}{apply.__name__.replace('_', '-')}"
    stream = cloud.client("dynamodb").describe_table(TableName=ORDERS)["Table"]["LatestStreamArn"]
    legacy = await asyncio.to_thread(ensure_legacy, cloud, orders_stream_arn=stream, name=name)
    api = {o["OutputKey"]: o["OutputValue"] for o in legacy["Outputs"]}["WebSocketApiId"]
    url = f"ws://127.0.0.1:{cloud.port}/_aws/execute-api/{api}/sandbox"
    merchants = [user for user in outputs["sandbox"]["users"] if user["role"] == "merchant"]
    devices = []
    handshakes = asyncio.Semaphore(HANDSHAKES)
    for merchant in merchants:
        token = clone.sandbox("token", merchant["name"]).stdout.strip()
        devices += [Device(merchant["businessId"], token, handshakes) for _ in range(DEVICES // 2)]
    lives = [asyncio.create_task(device.live(url)) for device in devices]
    placed = {merchant["businessId"]: [] for merchant in merchants}
    stop = asyncio.Event()
    table = f"{name}-websocket-connections"
    await _until(lambda: _rows(cloud, table) == len(devices))
    selling = asyncio.create_task(_sell(cloud, name, placed, stop))

    def migrate(step, *options):
        if step == "apply":
            options += ("--yes", "--backup-dir", str(tmp_path / "backup"), *TOKENS)
        return (
            *(".venv/bin/python", "-u", "-m", "ops", "migrate", step, "--outputs", str(stack)),
            *("--legacy-stack", name, *options),
        )

    await asyncio.to_thread(apply, clone, migrate)
    await _until(lambda: all(device.moved for device in devices))
    stop.set()
    await selling
    await _until(lambda: all(set(placed[d.business]) <= d.orders for d in devices))
    for device in devices:
        assert all(device.business in order for order in device.orders - _verifications(device))
        seen = Counter((side, event) for side, event, _ in device.events)
        assert max(seen.values()) == 1, "an event came twice on one connection"
    kept = cloud.client("cloudformation").describe_stack_resources(StackName=name)
    types = {resource["ResourceType"] for resource in kept["StackResources"]}
    assert not any(kind.startswith("AWS::ApiGatewayV2::") for kind in types)
    assert "AWS::DynamoDB::Table" not in types
    now = cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    assert now["StackStatus"] == "UPDATE_COMPLETE"
    for life in lives:
        life.cancel()


async def _sell(cloud, name, placed, stop):
    """Place an order of each business again and again until it is time to stop."""
    number = 0
    while not stop.is_set():
        for business, orders in placed.items():
            order = f"{name}-{business}-{number}"
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
