"""The roles hold what the Lambdas do, action by action and table by table, and nothing more."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lambdas import fanout, order_events
from lambdas.catalogue import (
    ENTRY_POINTS,
    FANOUT,
    JANITOR,
    ORDER_EVENTS,
    WEBSOCKET,
    EntryPoint,
    Env,
    Resource,
)
from tests.gateway.backend import Backend
from tests.gateway.calls import Call

Right = tuple[str, Resource]

POLLED = {
    ("dynamodb:DescribeStream", Resource.ORDERS_STREAM),
    ("dynamodb:GetRecords", Resource.ORDERS_STREAM),
    ("dynamodb:GetShardIterator", Resource.ORDERS_STREAM),
    ("dynamodb:ListStreams", Resource.ORDERS_STREAM),
    ("sqs:ReceiveMessage", Resource.FANOUT_QUEUE),
    ("sqs:DeleteMessage", Resource.FANOUT_QUEUE),
    ("sqs:GetQueueAttributes", Resource.FANOUT_QUEUE),
}
"""Used by Lambda's own pollers. The lists of docs.aws.amazon.com/lambda/latest/dg: with-ddb.html,
with-sqs.html."""

INDEXES = {
    "userId-connectedAt-index": Resource.CONNECTIONS_BY_USER,
    "topic-createdAt-index": Resource.SUBSCRIPTIONS_BY_TOPIC,
    "userId-topic-index": Resource.SUBSCRIPTIONS_BY_USER,
    "BusinessIdIndex": Resource.ORDERS_INDEXES,
    "StoreIdIndex": Resource.ORDERS_INDEXES,
}
IN_TRANSACTIONS = {
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def granted(entry: EntryPoint) -> set[Right]:
    return {
        (action, resource)
        for statement in entry.statements
        for action in statement.actions
        for resource in statement.resources
    }


class Watch:
    """Collects the rights that each Lambda has made use of."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        tables = backend.tables
        self._names = {
            tables.connections.name: Resource.CONNECTIONS,
            tables.subscriptions.name: Resource.SUBSCRIPTIONS,
            tables.businesses.name: Resource.BUSINESSES,
            tables.orders.name: Resource.ORDERS,
            backend.queue.url: Resource.FANOUT_QUEUE,
            backend.queue.dead_letter_url: Resource.DEAD_LETTERS,
        }
        self.used: dict[str, set[Right]] = {entry.name: set() for entry in ENTRY_POINTS}

    def during(self, entry: EntryPoint, act: Callable[[], Any]) -> Any:
        """Count whatever `act` calls as done by this Lambda."""
        posts = len(self.backend.gateway.posts)
        with self.backend.calls.counting() as calls:
            result = act()
        for call in calls:
            self.used[entry.name] |= set(self._rights(call))
        if len(self.backend.gateway.posts) > posts:
            self.used[entry.name].add(("execute-api:ManageConnections", Resource.MANAGEMENT))
        return result

    def deliver(self) -> None:
        self.during(ORDER_EVENTS, lambda: self.backend.orders.drain(order_events.handler))
        bodies = self.backend.queue.peek()
        self.backend.queue.clear()
        for body in bodies:
            self.during(FANOUT, lambda b=body: self._run(b))

    def _run(self, body: str) -> None:
        result = self.backend.queue.deliver_again(fanout.handler, body)
        assert result == {"batchItemFailures": []}

    def _rights(self, call: Call) -> Iterator[Right]:
        body = call.body
        match call.operation:
            case "TransactGetItems" | "TransactWriteItems":
                for item in body["TransactItems"]:
                    ((kind, what),) = item.items()
                    yield f"dynamodb:{IN_TRANSACTIONS[kind]}", self._names[what["TableName"]]
            case "BatchGetItem" | "BatchWriteItem":
                for table in body["RequestItems"]:
                    yield f"dynamodb:{call.operation}", self._names[table]
            case "SendMessage" | "SendMessageBatch":
                yield "sqs:SendMessage", self._names[body["QueueUrl"]]
            case "Invoke":
                yield "lambda:InvokeFunction", Resource.FORMER_FUNCTIONS
            case _:
                index = body.get("IndexName")
                resource = INDEXES[index] if index else self._names[body["TableName"]]
                yield f"dynamodb:{call.operation}", resource


@pytest.fixture
def watch(open_backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """What all Lambdas did in a day with everything that can happen in it."""
    backend = open_backend
    monkeypatch.setenv(Env.FORMER_FUNCTIONS, '{"$default": "platform-default"}')
    watch = Watch(backend)
    ask = lambda device, *a, **f: watch.during(WEBSOCKET, lambda: device.ask(*a, **f))  # noqa: E731
    backend.business("b1", owner="m1")
    backend.order("o1", driverId="d1")
    tokens = backend.cognito
    merchant, customer, driver = (backend.device(userId=s) for s in ("m1", "c1", "d1"))
    ask(merchant, "REGISTER_CONNECTION", businessId="b1", token=tokens.merchants.token("m1"))
    ask(customer, "REGISTER_CONNECTION", token=tokens.customers.token("c1"))
    ask(driver, "REGISTER_CONNECTION", token=tokens.drivers.token("d1"))
    ask(merchant, "HEARTBEAT")
    ask(merchant, "SUBSCRIBE_ORDERS", businessId="b1")
    ask(customer, "subscribe_business_status", businessId="b1")
    ask(customer, "subscribe_order", orderId="o1")
    ask(merchant, "BUSINESS_STATUS_UPDATE", businessId="b1", isActive=True)
    ask(driver, "order_message", orderId="o1", to="customer", body="hello")
    ask(customer, "order_message", orderId="o1", to="merchant", body="hello")
    ask(customer, "unsubscribe_order", orderId="o1")
    ask(customer, "subscribe_order", orderId="o1")
    watch.deliver()
    _many_devices(watch, backend)
    watch.during(WEBSOCKET, lambda: merchant.ask_plain("not_ours"))
    _poison(watch, backend)
    _lost_connections(watch, backend)
    ask(customer, "unsubscribe_business_status", businessId="b1")
    ask(merchant, "MERCHANT_LOGOUT", businessId="b1")
    _sweeps(watch, backend)
    return watch


def _many_devices(watch: Watch, backend: Backend) -> None:
    """More rows of devices, and more customers, than one call takes."""
    from lambdas.actions.toggle import ROWS_AT_ONCE

    moment = backend.timestamp()
    common = {"businessId": "b1", "isActive": True, "createdAt": moment, "entityType": "merchant"}
    ttl = int(backend.clock.time()) + 3600
    backend.tables.subscriptions.put_all(
        {
            **common,
            "subscriptionId": f"Device{n:09d}=#business:b1",
            "connectionId": f"Device{n:09d}=",
            "topic": "business:b1",
            "subscriptionType": "business_status",
            "ttl": ttl,
        }
        for n in range(ROWS_AT_ONCE + 3)
    )
    backend.tables.subscriptions.put_all(
        {
            "subscriptionId": f"Client{n:09d}=#merchant_status_b1",
            "connectionId": f"Client{n:09d}=",
            "topic": "merchant_status_b1",
            "createdAt": moment,
            "ttl": ttl,
        }
        for n in range(600)
    )
    merchant = backend.merchant("m1", "b1")
    fields = {"businessId": "b1", "isActive": False}
    watch.during(WEBSOCKET, lambda: merchant.ask("BUSINESS_STATUS_UPDATE", **fields))
    watch.deliver()
    watch.deliver()


def _poison(watch: Watch, backend: Backend) -> None:
    backend.order("poison")
    del backend.orders.waiting[-1]["dynamodb"]["NewImage"]["orderId"]
    watch.deliver()


def _lost_connections(watch: Watch, backend: Backend) -> None:
    """A merchant and a customer whose loss nobody noticed until somebody posts to them."""
    from tests.gateway.faults import PostFault

    backend.gateway.faults.lose_disconnects = True
    lost = [backend.merchant("m1", "b1"), *(backend.customer("c1") for _ in range(3))]
    slow = backend.customer("c1")
    lost[0].ask("SUBSCRIBE_ORDERS", businessId="b1")
    lost[2].ask("subscribe_business_status", businessId="b1")
    backend.business("b2", owner="m2")
    lost[3].ask("subscribe_business_status", businessId="b2")
    for device in (lost[1], slow):
        device.ask("subscribe_order", orderId="o1")
    for device in lost:
        backend.leave(device)
    backend.gateway.faults.fail_posts(slow.connection_id, PostFault(status=429), times=2)
    backend.orders.update("o1", status="confirmed")
    backend.order("o2")
    watch.deliver()
    watch.deliver()
    merchant = backend.merchant("m1", "b1")
    merchant.ask("BUSINESS_STATUS_UPDATE", businessId="b1", isActive=True)
    watch.deliver()
    fields = {"orderId": "o1", "to": "customer", "body": "to one who is gone"}
    watch.during(WEBSOCKET, lambda: merchant.ask("order_message", **fields))
    backend.gateway.faults.lose_disconnects = False


def _sweeps(watch: Watch, backend: Backend) -> None:
    merchant = backend.merchant("m1", "b1")
    merchant.ask("SUBSCRIBE_ORDERS", businessId="b1")
    merchant.ask("BUSINESS_STATUS_UPDATE", businessId="b1", isActive=False)
    backend.leave(merchant)
    backend.clock.advance(120)
    watch.during(JANITOR, lambda: backend.sweep(remaining_ms=15_000))
    watch.during(JANITOR, backend.sweep)


@pytest.mark.parametrize("entry", ENTRY_POINTS, ids=lambda entry: entry.name)
def test_a_role_allows_what_its_lambda_does_and_nothing_more(
    watch: Watch, entry: EntryPoint
) -> None:
    used = watch.used[entry.name]
    assert used - granted(entry) == set(), "it does what its role does not allow"
    unused = granted(entry) - used - POLLED
    assert unused == set(), "its role allows what it never does"
