"""What one test runs against: platform, gateway, our Lambdas, tables, queue and stream."""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from lambdas import clients
from lambdas.catalogue import ROUTES, Env
from sandbox.cloud import Cloud
from tests.gateway import time_travel
from tests.gateway.calls import Calls
from tests.gateway.clock import VirtualClock
from tests.gateway.cognito import Cognito
from tests.gateway.devices import Device, Message
from tests.gateway.handshakes import Authorizer
from tests.gateway.platform import Platform
from tests.gateway.queues import Queue
from tests.gateway.routes import Route
from tests.gateway.server import Gateway
from tests.gateway.streams import Stream
from tests.gateway.tables import Row, Tables


@dataclass(kw_only=True)
class Backend:
    """One deployed stack on the shared platform, all of it in this process but for the cloud."""

    cloud: Cloud
    cognito: Cognito
    clock: VirtualClock
    tables: Tables
    queue: Queue
    gateway: Gateway
    orders: Stream
    calls: Calls
    devices: list[Device] = field(default_factory=list)
    """The apps that are connected."""
    _open: ExitStack = field(default_factory=ExitStack)

    # --- People -------------------------------------------------------------------------------

    def device(self, **query: str) -> Device:
        """An app that has just connected, and that the platform takes for a customer's."""
        device = self._open.enter_context(Device(url=self.gateway.url, query=query))
        known = {connection.connection_id for connection in self.devices}
        (fresh,) = set(self.gateway.live_connections()) - known
        device.connection_id = fresh
        self.devices.append(device)
        return device

    def merchant(self, sub: str, business_id: str) -> Device:
        device = self.device(businessId=business_id, userId=sub)
        token = self.cognito.merchants.token(sub)
        answer = device.ask("REGISTER_CONNECTION", businessId=business_id, token=token)
        assert answer["type"] == "REGISTERED", answer
        return device

    def customer(self, sub: str) -> Device:
        return self._person(sub, self.cognito.customers.token(sub))

    def driver(self, sub: str) -> Device:
        return self._person(sub, self.cognito.drivers.token(sub))

    def _person(self, sub: str, token: str) -> Device:
        device = self.device(userId=sub)
        answer = device.ask("REGISTER_CONNECTION", token=token)
        assert answer["type"] == "REGISTERED", answer
        return device

    def leave(self, device: Device) -> None:
        """Close an app's socket and wait until the platform has noticed."""
        device.close()
        self.gateway.wait_gone(device.connection_id)
        self.devices.remove(device)

    def forget(self, device: Device) -> None:
        """Let go of an app whose socket the gateway has closed."""
        device.close()
        self.devices.remove(device)

    # --- Things -------------------------------------------------------------------------------

    def business(self, business_id: str, owner: str, **attributes: Any) -> None:
        self.tables.businesses.put(
            {
                "businessId": business_id,
                "ownerId": owner,
                "email": f"{owner}@example.com",
                "isActive": False,
                "acceptingOrders": False,
                **attributes,
            }
        )

    def order(self, order_id: str, **attributes: Any) -> Row:
        """Place an order; its stream record waits."""
        row = {
            "orderId": order_id,
            "businessId": "b1",
            "customerId": "c1",
            "customerName": "Layla",
            "customerPhone": "+964 770 000 0000",
            "deliveryAddress": "Karrada 12",
            "items": [{"name": "tea", "quantity": 2, "price": 1.25}],
            "totalAmount": 12.5,
            "status": "pending",
            "createdAt": self.timestamp(),
            "updatedAt": self.timestamp(),
            **attributes,
        }
        row = {name: value for name, value in row.items() if value is not None}
        self.orders.put(row)
        return row

    def timestamp(self) -> str:
        from datetime import UTC, datetime

        moment = datetime.fromtimestamp(self.clock.time(), UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def status_row(self, business_id: str) -> Row | None:
        return self.tables.subscriptions.get(f"merchant_status_{business_id}")

    def subscriptions_of(self, device: Device) -> list[Row]:
        rows = self.tables.subscriptions.rows()
        return [row for row in rows if row.get("connectionId") == device.connection_id]

    # --- What runs by itself on AWS -----------------------------------------------------------

    def deliver(self) -> None:
        """Let streams and queues run until nothing waits."""
        from lambdas import fanout, order_events

        self.orders.drain(order_events.handler)
        self.queue.drain(fanout.handler)

    def sweep(self, *, remaining_ms: int = 300_000) -> Any:
        """Run the janitor once, with that much time."""
        from lambdas import janitor
        from tests.gateway.events import LambdaContext

        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "000000000000",
            "time": self.timestamp(),
            "region": "us-east-1",
            "resources": ["arn:aws:events:us-east-1:000000000000:rule/janitor"],
            "detail": {},
        }
        context = LambdaContext(function_name="janitor", remaining_ms=remaining_ms)
        return janitor.handler(event, context)


def queued(bodies: list[str]) -> list[Message]:
    return [json.loads(body) for body in bodies]


@contextmanager
def running(
    cloud: Cloud,
    cognito: Cognito,
    monkeypatch: pytest.MonkeyPatch,
    *,
    identity_mode: str = "token",
    authorizer: Authorizer | None = None,
    default_is_ours: bool = False,
) -> Iterator[Backend]:
    """A backend with tables of its own, torn down with every socket that was opened to it."""
    clock = VirtualClock()
    for pool in (*cognito.trusted, cognito.foreign):
        pool.now = clock.time
    tables = Tables.create(cloud)
    queue = Queue.create(cloud)
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    environment = {
        Env.CONNECTIONS_TABLE: tables.connections.name,
        Env.SUBSCRIPTIONS_TABLE: tables.subscriptions.name,
        Env.BUSINESSES_TABLE: tables.businesses.name,
        Env.ORDERS_TABLE: tables.orders.name,
        Env.FANOUT_QUEUE_URL: queue.url,
        Env.DEAD_LETTER_QUEUE_URL: queue.dead_letter_url,
        Env.IDENTITY_MODE: identity_mode,
        Env.USER_POOLS: json.dumps(cognito.configuration()),
        Env.API_ID: "gateway001",
        Env.STAGE: "sandbox",
        Env.FORMER_FUNCTIONS: "{}",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    time_travel.follow(clock, monkeypatch)
    from lambdas import websocket

    ours = {
        key: Route(handler=websocket.handler, function_name="websocket", two_way=True)
        for key in (*ROUTES, *(["$default"] if default_is_ours else []))
    }
    platform = Platform(connections=tables.connections, now=clock.time)
    calls = Calls()
    gateway = Gateway(
        routes={**platform.routes(), **ours}, clock=clock, authorizer=authorizer, workers=32
    )
    with (
        gateway,
        calls.watching([clients.dynamodb(), clients.sqs(), clients.functions()]),
        ExitStack() as sockets,
    ):
        monkeypatch.setenv(Env.ENDPOINT, gateway.management_endpoint)
        yield Backend(
            cloud=cloud,
            cognito=cognito,
            clock=clock,
            tables=tables,
            queue=queue,
            gateway=gateway,
            orders=Stream(table=tables.orders, clock=clock),
            calls=calls,
            _open=sockets,
        )
    tables.drop()
    queue.drop()
