"""The core of the contract once more on the emulator's own WebSocket, streams and queues."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from sandbox import cloud as sandbox_cloud
from tests.gateway import emulated
from tests.gateway.devices import Device, until
from tests.gateway.emulated import Emulated
from tests.gateway.shared_tables import BUSINESSES, CONNECTIONS, ORDERS, SUBSCRIPTIONS

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("emulated")]

SHOP = "business_merchant1"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """Our routes on a cloud of their own: elsewhere they would be in the way of others."""
    running = sandbox_cloud.start(tmp_path_factory.mktemp("emulated"), tied=True)
    yield emulated.deploy(running)
    running.stop()


class Phone(Device):
    """A device of a user of the platform."""


@pytest.fixture
def apps(stack: Emulated) -> Iterator["Apps"]:
    with ExitStack() as sockets:
        yield Apps(stack, sockets)


class Apps:
    """Opens apps, and closes them with the test."""

    def __init__(self, stack: Emulated, sockets: ExitStack) -> None:
        self._stack = stack
        self._sockets = sockets

    def stranger(self) -> Device:
        return self._sockets.enter_context(Device(url=self._stack.url, patience=30))

    def __call__(self, name: str) -> Device:
        device = self.stranger()
        device.connection_id = self._stack.register(device, name)
        return device


def put_order(stack: Emulated, order_id: str, **attributes: object) -> None:
    order = {
        "orderId": order_id,
        "businessId": SHOP,
        "customerId": stack.sub("customer1"),
        "driverId": stack.sub("driver1"),
        "status": "pending",
        "totalAmount": 12.5,
        "createdAt": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        **attributes,
    }
    stack.table(ORDERS.name).put(order)


def toggle(device: Device, is_active: bool) -> int:
    answer = device.ask("BUSINESS_STATUS_UPDATE", businessId=SHOP, isActive=is_active)
    assert (answer["type"], answer["isActive"]) == ("BUSINESS_STATUS_UPDATED", is_active), answer
    return answer["version"]


def has_order(device: Device, order_id: str) -> None:
    device.wait(
        lambda m: m.get("type") == "NEW_ORDER" and m["payload"]["data"]["orderId"] == order_id,
        order_id,
    )


def test_registering_corrects_what_the_platform_wrote(stack: Emulated, apps: Apps) -> None:
    device = apps("merchant1")
    row = stack.table(CONNECTIONS.name).get(device.connection_id)
    assert row is not None
    assert (row["entityType"], row["businessId"]) == ("merchant", SHOP)
    assert device.ask("PING")["type"] == "PONG"
    assert device.ask("HEARTBEAT")["type"] == "HEARTBEAT_ACK"


def test_a_toggle_reaches_customers_with_growing_versions(stack: Emulated, apps: Apps) -> None:
    merchant, customer, anyone = apps("merchant1"), apps("customer1"), apps.stranger()
    now = customer.ask("subscribe_business_status", businessId=SHOP)["isActive"]
    anyone.ask("subscribe_business_status", businessId=SHOP)
    versions = [toggle(merchant, not now), toggle(merchant, bool(now))]
    assert versions == sorted(set(versions))
    for device in (customer, anyone):
        for version in versions:
            device.wait(lambda m, v=version: m.get("version") == v and "eventId" in m, "a change")
    business = stack.table(BUSINESSES.name).get(SHOP)
    assert business is not None
    assert (business["isActive"], business["acceptingOrders"]) == (now, now)
    rows = [r for r in stack.table(SUBSCRIPTIONS.name).rows() if r["topic"] == f"business:{SHOP}"]
    assert {(row["isActive"], row["entityType"]) for row in rows} == {(now, "merchant")}


def test_ten_devices_toggling_at_once_agree(stack: Emulated, apps: Apps) -> None:
    devices = [apps("merchant1") for _ in range(10)]
    start = threading.Barrier(len(devices))
    answers: list[dict[str, object]] = []

    def press(device: Device, number: int) -> None:
        start.wait()
        wanted = {"businessId": SHOP, "isActive": number % 2 == 0}
        answer = device.ask("BUSINESS_STATUS_UPDATE", **wanted)
        while answer.get("code") in ("conflict", "unavailable"):
            answer = device.ask("BUSINESS_STATUS_UPDATE", **wanted)
        answers.append(answer)

    threads = [threading.Thread(target=press, args=p) for p in zip(devices, range(10), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = max(answers, key=lambda answer: int(str(answer["version"])))
    business = stack.table(BUSINESSES.name).get(SHOP)
    status = stack.table(SUBSCRIPTIONS.name).get(f"merchant_status_{SHOP}")
    assert business is not None
    assert status is not None
    assert business["isActive"] is business["acceptingOrders"] is last["isActive"]
    assert (status["version"], status["isActive"]) == (last["version"], last["isActive"])


def test_orders_reach_the_merchant_live_and_after_an_absence(stack: Emulated, apps: Apps) -> None:
    put_order(stack, "emulated-away")
    device = apps("merchant1")
    device.ask("SUBSCRIBE_ORDERS", businessId=SHOP)
    has_order(device, "emulated-away")
    put_order(stack, "emulated-live")
    has_order(device, "emulated-live")


def test_the_parties_follow_an_order_through_their_filters(stack: Emulated, apps: Apps) -> None:
    put_order(stack, "emulated-followed")
    customer, driver = apps("customer1"), apps("driver1")
    customer.ask("subscribe_order", orderId="emulated-followed", filter={"statuses": ["ready"]})
    driver.ask("subscribe_order", orderId="emulated-followed")
    for status in ("confirmed", "ready"):
        put_order(stack, "emulated-followed", status=status)
        driver.wait(lambda m, s=status: m.get("status") == s and "eventId" in m, status)
    customer.wait(lambda m: m.get("status") == "ready", "the status it wants")
    assert [u["status"] for u in customer.events("ORDER_UPDATE")] == ["ready"]


def test_the_parties_of_an_order_talk(stack: Emulated, apps: Apps) -> None:
    put_order(stack, "emulated-talk")
    customer, driver, merchant = apps("customer1"), apps("driver1"), apps("merchant1")
    fields = {"orderId": "emulated-talk", "body": "At your door"}
    # An app of the test before may not have left yet.
    assert driver.ask("order_message", to="customer", **fields)["delivered"] >= 1
    assert customer.expect("ORDER_MESSAGE")["from"] == "driver"
    assert customer.ask("order_message", to="merchant", **fields)["delivered"] >= 1
    assert merchant.expect("ORDER_MESSAGE")["from"] == "customer"


def test_what_is_not_theirs_is_refused(stack: Emulated, apps: Apps) -> None:
    put_order(stack, "emulated-private", customerId="somebody", driverId="else")
    stranger, customer, merchant = apps.stranger(), apps("customer1"), apps("merchant2")
    cases = [
        (stranger, "not_registered", "SUBSCRIBE_ORDERS", {"businessId": SHOP}),
        (customer, "forbidden", "SUBSCRIBE_ORDERS", {"businessId": SHOP}),
        (customer, "forbidden", "subscribe_order", {"orderId": "emulated-private"}),
        (merchant, "forbidden", "BUSINESS_STATUS_UPDATE", {"businessId": SHOP, "isActive": True}),
        (merchant, "invalid", "BUSINESS_STATUS_UPDATE", {"businessId": SHOP, "isActive": "yes"}),
    ]
    for device, code, action, fields in cases:
        answer = device.ask(action, **fields)
        assert (answer["type"], answer["code"]) == ("ERROR", code), answer


def test_who_leaves_leaves_nothing(stack: Emulated, apps: Apps) -> None:
    device = apps("merchant1")
    device.ask("SUBSCRIBE_ORDERS", businessId=SHOP)
    logging_out = apps("merchant1")
    logging_out.ask("SUBSCRIBE_ORDERS", businessId=SHOP)
    answer = logging_out.ask("MERCHANT_LOGOUT", businessId=SHOP)
    assert answer["type"] == "MERCHANT_LOGOUT_CONFIRMED"
    subscriptions, connections = stack.table(SUBSCRIPTIONS.name), stack.table(CONNECTIONS.name)
    device.close()
    until(lambda: connections.get(device.connection_id) is None)
    stack.cloud.client("lambda").invoke(FunctionName="emulated-janitor", Payload=b"{}")
    left = {row.get("connectionId") for row in subscriptions.rows()}
    assert not left & {device.connection_id, logging_out.connection_id}
