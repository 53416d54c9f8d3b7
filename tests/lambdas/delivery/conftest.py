"""Tables, queues and a management endpoint of one test, for the Lambdas that deliver."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec import Raw

from bench.management_stub import Stub, serve
from lambdas import delivery
from lambdas.catalogue import Env
from lambdas.jobs import ANYONE, Anyone, Audience, Broadcast, Event
from lambdas.rows import OURS, iso, subscription_id
from sandbox.cloud import Cloud
from tests.gateway.events import LambdaContext
from tests.gateway.queues import Queue
from tests.gateway.tables import Tables


@dataclass(kw_only=True)
class Place:
    """Everything that delivery touches."""

    tables: Tables
    queue: Queue
    stub: Stub
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))

    def connection(self, entity_type: str = "customer", **attributes: Any) -> str:
        """A connection that was registered with us."""
        connection_id = f"R0oXAd{next(self.numbers):06d}="
        row = {
            "connectionId": connection_id,
            "connectedAt": iso(time.time()),
            "ttl": int(time.time()) + 3600,
            "entityType": entity_type,
            "userId": "u1",
            "registeredBy": OURS,
            **attributes,
        }
        self.tables.connections.put({k: v for k, v in row.items() if v is not None})
        return connection_id

    def subscribe(self, connection_id: str, topic: str, **attributes: Any) -> str:
        """A subscription of ours, with the list of topics on the connection's row."""
        key = subscription_id(connection_id, topic)
        row = {
            "subscriptionId": key,
            "connectionId": connection_id,
            "topic": topic,
            "createdAt": iso(time.time()),
            "ttl": int(time.time()) + 3600,
            "writtenBy": OURS,
            **attributes,
        }
        self.tables.subscriptions.put({k: v for k, v in row.items() if v is not None})
        connection = self.tables.connections.get(connection_id)
        if connection is not None:
            topics = {*connection.get("subscribedTopics", set()), topic}
            self.tables.connections.put({**connection, "subscribedTopics": topics})
        return row["subscriptionId"]

    def subscribed(self, number: int, topic: str) -> list[str]:
        """Many connections with a subscription each, written in bulk."""
        now = time.time()
        ids = [f"R0oXBulk{next(self.numbers):06d}=" for _ in range(number)]
        self.tables.connections.put_all(
            {
                "connectionId": one,
                "connectedAt": iso(now),
                "ttl": int(now) + 3600,
                "entityType": "customer",
                "userId": f"user-{one}",
                "registeredBy": OURS,
                "subscribedTopics": {topic},
            }
            for one in ids
        )
        self.tables.subscriptions.put_all(
            {
                "subscriptionId": subscription_id(one, topic),
                "connectionId": one,
                "topic": topic,
                "createdAt": iso(now),
                "ttl": int(now) + 3600,
                "writtenBy": OURS,
            }
            for one in ids
        )
        return ids

    def delivered(self, connection_id: str) -> list[Any]:
        """What the connection got."""
        return [json.loads(body) for body in self.stub.delivered.get(connection_id, [])]


def event(**changes: Any) -> Event:
    """A public event."""
    values: dict[str, Any] = {
        "id": "event-1",
        "type": "MERCHANT_STATUS_CHANGE",
        "occurred_at": int(time.time() * 1000),
        "bodies": {ANYONE: Raw(b'{"eventId":"event-1"}')},
        **changes,
    }
    return Event(**values)


def broadcast(topic: str, audience: Audience | None = None, **changes: Any) -> Broadcast:
    return Broadcast(
        topic=topic,
        event=event(**changes),
        audience=audience or Anyone(),
        correlation_id="message-1",
    )


def soon() -> float:
    """A deadline that no test reaches."""
    return time.monotonic() + 30


def context(remaining_ms: int = 60_000) -> LambdaContext:
    return LambdaContext(function_name="fanout", remaining_ms=remaining_ms)


@pytest.fixture
def place(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    tables = Tables.create(cloud)
    queue = Queue.create(cloud)
    delivery.memory.clear()
    with serve() as stub:
        environment = {
            **cloud.environment(),
            Env.CONNECTIONS_TABLE: tables.connections.name,
            Env.SUBSCRIPTIONS_TABLE: tables.subscriptions.name,
            Env.BUSINESSES_TABLE: tables.businesses.name,
            Env.ORDERS_TABLE: tables.orders.name,
            Env.FANOUT_QUEUE_URL: queue.url,
            Env.DEAD_LETTER_QUEUE_URL: queue.dead_letter_url,
            Env.ENDPOINT: stub.endpoint,
            Env.STAGE: "test",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield Place(tables=tables, queue=queue, stub=stub)
    tables.drop()
    queue.drop()
