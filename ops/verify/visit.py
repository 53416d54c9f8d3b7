"""What the steps of verification share: who is connected, and what has been seen so far."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from ops.deployed import Deployed
from ops.verify.client import AppClient, Message, connected
from ops.verify.guard import Guard
from ops.verify.people import People
from ops.verify.rows import Business, Rows
from ops.verify.traces import Traces


class StepError(Exception):
    """What a step looked for does not hold; the text says what was seen instead."""


class SkippedError(Exception):
    """The step cannot be tried on this stack, or not after what failed before; says why."""


@dataclass(frozen=True, kw_only=True)
class Full:
    """What it takes to change something: people, the tables, and a guard that puts things back."""

    people: People
    rows: Rows
    guard: Guard
    with_order: bool
    with_sweep: bool


@dataclass(kw_only=True)
class Visit:
    """A merchant, a customer and the customer's neighbour at a deployed stack."""

    deployed: Deployed
    full: Full | None
    stack: AsyncExitStack
    clients: dict[str, AppClient] = field(default_factory=dict[str, AppClient])
    ids: dict[str, str] = field(default_factory=dict[str, str])
    """Who -> connection id, once it is known."""
    traces: Traces = field(default_factory=Traces)
    version: int = 0

    @property
    def may(self) -> Full:
        """What it takes to change something; steps that do run only where it is there."""
        assert self.full is not None
        return self.full

    @property
    def people(self) -> People:
        """The people and their businesses."""
        return self.may.people

    async def arrive(self, who: str) -> AppClient:
        """Open a connection for somebody."""
        opened = await self.stack.enter_async_context(connected(self.deployed.url))
        self.clients[who] = opened
        return opened

    def client(self, who: str) -> AppClient:
        """Somebody's connection."""
        if who not in self.clients:
            raise SkippedError(f"the {who} is not connected")
        return self.clients[who]

    def id_of(self, who: str) -> str:
        """Somebody's connection id."""
        if who not in self.ids:
            raise SkippedError(f"the {who} is not registered")
        return self.ids[who]

    async def register(self, who: str, token: str, **business: str) -> Message:
        """Register somebody's connection; its row is ours from then on."""
        answer = await self.client(who).request(
            action="REGISTER_CONNECTION", token=token, **business
        )
        if "connectionId" in answer:
            self.knows(who, str(answer["connectionId"]))
        return answer

    async def ping(self) -> None:
        """See that the merchant's connection goes on."""
        expect(await self.client("merchant").request(action="PING"), type="PONG")

    def knows(self, who: str, connection_id: str) -> None:
        """Note somebody's connection id."""
        self.ids[who] = connection_id
        self.traces.connections.add(connection_id)
        self.may.guard.note(self.traces)

    def will_subscribe(self, who: str, topic: str) -> str:
        """Note a subscription that somebody is about to make; returns its id."""
        subscription_id = f"{self.id_of(who)}#{topic}"
        self.traces.subscriptions.add(subscription_id)
        self.may.guard.note(self.traces)
        return subscription_id

    def will_switch(self, business_id: str) -> Business:
        """Note how a business stands before its switch may be touched; returns that."""
        known = self.traces.businesses
        if business_id not in known:
            known[business_id] = self.may.rows.business(business_id)
            self.may.guard.note(self.traces)
        return known[business_id]

    def will_order(self, order_id: str) -> None:
        """Note an order that is about to be placed."""
        self.traces.orders.add(order_id)
        self.may.guard.note(self.traces)

    def needs_route(self, route: str) -> None:
        """Skip the step where the platform serves a route, for then its answers are not ours."""
        if self.deployed.routes and route not in self.deployed.routes:
            raise SkippedError(f"{route} is the platform's on this stage")


Check = Callable[[Visit], Awaitable[str]]


def expect(answer: Message | dict[str, Any], **wanted: object) -> None:
    """Raise StepError unless the answer or row says this."""
    for name, value in wanted.items():
        if answer.get(name) != value:
            shown = {key: answer[key] for key in sorted(answer) if key != "token"}
            raise StepError(f"{name} is {answer.get(name)!r}, not {value!r}: {shown}"[:400])
