"""The steps of verification, in the order in which a day at the shop would take them.

Each is a function that returns when what it looked for holds, and raises StepError when not.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import websockets

from ops.deployed import Deployed
from ops.verify.client import AppClient, Message, NoAnswerError, connected
from ops.verify.people import People
from ops.verify.report import Step
from ops.verify.rows import Rows, becomes

SILENCE_SECONDS: Final = 2.0
OVERSIZED: Final = 100_000
"""Bytes; under the 128 KB at which API Gateway itself ends the connection, over our own limit."""


class StepError(Exception):
    """What a step looked for does not hold; the text says what was seen instead."""


@dataclass(kw_only=True)
class Visit:
    """What the steps share: who is connected, and what there is to clear away in the end."""

    deployed: Deployed
    people: People | None
    rows: Rows | None
    stack: AsyncExitStack
    merchant: AppClient | None = None
    customer: AppClient | None = None
    connection_ids: dict[str, str] = field(default_factory=dict[str, str])
    subscriptions: set[str] = field(default_factory=set[str])
    version: int = 0
    was_active: bool | None = None

    @property
    def who(self) -> People:
        """The people; the steps that need them run only where there are any."""
        assert self.people is not None
        return self.people

    @property
    def tables(self) -> Rows:
        """The tables; the steps that read rows run only where they may."""
        assert self.rows is not None
        return self.rows

    def shop(self) -> AppClient:
        """The merchant's connection."""
        if self.merchant is None:
            raise StepError("the merchant is not connected")
        return self.merchant

    def buyer(self) -> AppClient:
        """The customer's connection."""
        if self.customer is None:
            raise StepError("the customer is not connected")
        return self.customer


Check = Callable[[Visit], Awaitable[None]]


async def reach(visit: Visit) -> None:
    """A connection opens at the URL with the stage in it."""
    visit.merchant = await visit.stack.enter_async_context(connected(visit.deployed.url))


async def ping(visit: Visit) -> None:
    """PING is answered with PONG."""
    _expect(await visit.shop().request(action="PING"), type="PONG")


async def register(visit: Visit) -> None:
    """The merchant registers, and is a merchant of its business."""
    answer = await visit.shop().request(
        action="REGISTER_CONNECTION",
        token=visit.who.merchant_token,
        businessId=visit.who.business_id,
    )
    _expect(answer, type="REGISTERED", entityType="merchant", businessId=visit.who.business_id)
    visit.connection_ids["merchant"] = str(answer["connectionId"])


async def merchant_row(visit: Visit) -> None:
    """The connections table calls the connection a merchant's."""
    row = visit.tables.connection(visit.connection_ids["merchant"])
    _expect(row, entityType="merchant", businessId=visit.who.business_id)


async def subscribe_orders(visit: Visit) -> None:
    """SUBSCRIBE_ORDERS is acknowledged, and its row stands in the subscriptions table."""
    answer = await visit.shop().request(action="SUBSCRIBE_ORDERS", businessId=visit.who.business_id)
    _expect(answer, type="SUBSCRIBED", entityType="merchant")
    topic = f"business:{visit.who.business_id}"
    subscription_id = f"{visit.connection_ids['merchant']}#{topic}"
    visit.subscriptions.add(subscription_id)
    row = visit.tables.subscription(subscription_id)
    _expect(row, entityType="merchant", topic=topic)


async def heartbeat(visit: Visit) -> None:
    """A heartbeat is answered."""
    answer = await visit.shop().request(action="HEARTBEAT")
    _expect(answer, type="HEARTBEAT_ACK")


async def customer_subscribes(visit: Visit) -> None:
    """A customer registers, subscribes to the shop's status, and is told how it stands now."""
    visit.customer = await visit.stack.enter_async_context(connected(visit.deployed.url))
    answer = await visit.buyer().request(
        action="REGISTER_CONNECTION", token=visit.who.customer_token
    )
    _expect(answer, type="REGISTERED", entityType="customer")
    visit.connection_ids["customer"] = str(answer["connectionId"])
    answer = await visit.buyer().request(
        action="subscribe_business_status", businessId=visit.who.business_id
    )
    _expect(answer, action="ack", originalAction="subscribe_business_status")
    visit.subscriptions.add(str(answer["subscriptionId"]))
    visit.version = int(answer.get("version") or 0)
    visit.was_active = bool(answer.get("isActive"))


async def toggle(visit: Visit) -> None:
    """The shop's switch is flipped and flipped back; the customer sees each, versions grow."""
    first = not (visit.was_active if visit.was_active is not None else True)
    for active in (first, not first):
        mark = visit.buyer().events_seen
        answer = await visit.shop().request(
            action="BUSINESS_STATUS_UPDATE", businessId=visit.who.business_id, isActive=active
        )
        _expect(answer, type="BUSINESS_STATUS_UPDATED", isActive=active)
        version = int(answer["version"])
        if version <= visit.version:
            raise StepError(f"the version went from {visit.version} to {version}")
        visit.version = version
        event = await visit.buyer().event(_is_status_change, after=mark)
        _expect(event["data"], status="online" if active else "offline")
        if event.get("version") != version:
            raise StepError(f"the event carries version {event.get('version')}, not {version}")


async def new_order(visit: Visit) -> None:
    """An order that is written to the orders table reaches the merchant's device."""
    order_id = f"verify-{uuid.uuid4().hex[:12]}"
    mark = visit.shop().events_seen
    visit.tables.place_order(order_id, visit.who.business_id)
    try:
        await visit.shop().event(
            lambda event: event.get("type") == "NEW_ORDER" and order_id in json.dumps(event),
            after=mark,
        )
    finally:
        visit.tables.remove_order(order_id)


async def silence(visit: Visit) -> None:
    """After unsubscribing the customer hears nothing of the switch."""
    answer = await visit.buyer().request(
        action="unsubscribe_business_status", businessId=visit.who.business_id
    )
    _expect(answer, action="ack", originalAction="unsubscribe_business_status")
    mark = visit.buyer().events_seen
    for active in (not visit.was_active, bool(visit.was_active)):
        answer = await visit.shop().request(
            action="BUSINESS_STATUS_UPDATE", businessId=visit.who.business_id, isActive=active
        )
        visit.version = int(answer.get("version", visit.version))
    await asyncio.sleep(SILENCE_SECONDS)
    heard = [event for event in visit.buyer().events(mark) if _is_status_change(event)]
    if heard:
        raise StepError(f"{len(heard)} events arrived after the unsubscription")


async def another_business(visit: Visit) -> None:
    """The merchant cannot speak for a business that is another's."""
    for action in ("SUBSCRIBE_ORDERS", "BUSINESS_STATUS_UPDATE"):
        answer = await visit.shop().request(
            action=action, businessId=visit.who.other_business_id, isActive=False
        )
        _refused(answer, "forbidden", "not_found")


async def customer_is_no_merchant(visit: Visit) -> None:
    """A customer cannot flip the switch, whatever it claims to be."""
    answer = await visit.buyer().request(
        action="BUSINESS_STATUS_UPDATE",
        businessId=visit.who.business_id,
        entityType="merchant",
        isActive=not visit.was_active,
    )
    _refused(answer, "forbidden", "not_found")


async def wrong_field(visit: Visit) -> None:
    """A message with a wrong field is refused with its code."""
    _refused(await visit.shop().request(action="BUSINESS_STATUS_UPDATE", businessId=7), "invalid")


async def oversized(visit: Visit) -> None:
    """A message over the limit is refused with its code."""
    text = json.dumps({"action": "PING", "filler": "x" * OVERSIZED})
    _refused(await visit.shop().request_text(text), "too_large")


async def unknown(visit: Visit) -> None:
    """An unknown action is answered, and the connection goes on."""
    text = json.dumps({"action": "no_such_action"})
    answer = await visit.shop().request_text(text)
    if not (answer.get("action") or answer.get("type") or answer.get("message")):
        raise StepError(f"answered with {answer}")
    await ping(visit)


async def disconnect(visit: Visit) -> None:
    """Closing the connections removes their rows from the connections table."""
    await visit.stack.aclose()
    for who, connection_id in visit.connection_ids.items():
        if not becomes(lambda c=connection_id: not visit.tables.connection(c)):
            raise StepError(f"the {who}'s connection row is still there after 10 s")


FULL: Final[tuple[tuple[str, Check], ...]] = (
    ("reach the API at its URL", reach),
    ("PING", ping),
    ("register as the business's merchant", register),
    ("connection row says merchant", merchant_row),
    ("subscribe to orders", subscribe_orders),
    ("heartbeat", heartbeat),
    ("a customer subscribes to the shop's status", customer_subscribes),
    ("switch off and on, seen by the customer", toggle),
    ("silence after unsubscribing", silence),
    ("another's business is refused", another_business),
    ("a customer posing as a merchant is refused", customer_is_no_merchant),
    ("a wrong field is refused", wrong_field),
    ("an oversized message is refused", oversized),
    ("an unknown action is answered", unknown),
    ("disconnecting cleans up", disconnect),
)

NEW_ORDER: Final[tuple[str, Check]] = ("a new order reaches the merchant", new_order)
"""Writes to the orders table: only where the operator says so, for a business made for this."""

READ_ONLY: Final[tuple[tuple[str, Check], ...]] = (
    ("reach the API at its URL", reach),
    ("PING", ping),
    ("an oversized message is refused", oversized),
    ("an unknown action is answered", unknown),
)
"""What leaves no trace but the connection itself, for production at any time."""


async def run(visit: Visit, steps: tuple[tuple[str, Check], ...]) -> AsyncGenerator[Step]:
    """Take the steps one by one; when the first one fails, the rest has nothing to stand on.

    In the end every row that the steps made is deleted, whatever happened.
    """
    try:
        for number, (name, check) in enumerate(steps):
            started = time.monotonic()
            reason = await _reason(check, visit)
            took = time.monotonic() - started
            yield Step(
                name=name, outcome="failed" if reason else "passed", seconds=took, reason=reason
            )
            if reason and number == 0:
                for skipped, _ in steps[1:]:
                    yield Step(name=skipped, outcome="skipped", seconds=0, reason="not reached")
                return
    finally:
        await visit.stack.aclose()
        if visit.rows is not None:
            for connection_id in visit.connection_ids.values():
                visit.rows.clear(connection_id, visit.subscriptions)


async def _reason(check: Check, visit: Visit) -> str:
    """Why the step failed, or an empty text."""
    try:
        await check(visit)
    except (StepError, NoAnswerError) as error:
        return str(error)
    except KeyError as error:
        return f"the answer lacks {error}"
    except (OSError, websockets.WebSocketException) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _expect(answer: Message | dict[str, Any], **wanted: object) -> None:
    for name, value in wanted.items():
        if answer.get(name) != value:
            shown = {key: answer[key] for key in sorted(answer) if key != "token"}
            raise StepError(f"{name} is {answer.get(name)!r}, not {value!r}: {shown}"[:400])


def _refused(answer: Message, *codes: str) -> None:
    if answer.get("type") != "ERROR" or answer.get("code") not in codes:
        raise StepError(f"not refused with {' or '.join(codes)}: {answer}"[:400])


def steps_for(*, read_only: bool, with_order: bool) -> tuple[tuple[str, Check], ...]:
    """The steps that the operator allows; the order comes when the merchant has subscribed."""
    if read_only:
        return READ_ONLY
    if not with_order:
        return FULL
    place = next(i for i, (_, check) in enumerate(FULL) if check is silence)
    return (*FULL[:place], NEW_ORDER, *FULL[place:])


def _is_status_change(event: Message) -> bool:
    return event.get("type") == "MERCHANT_STATUS_CHANGE"
