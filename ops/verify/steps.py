"""The steps of verification, in the order in which a day at the shop would take them.

Each is a function that returns what it saw, and raises StepError where what it looked for does not
hold, or SkippedError where it could not be tried.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import Final
from urllib.parse import urlsplit

from ops.verify import refusals
from ops.verify.client import Message
from ops.verify.people import subject
from ops.verify.rows import becomes, business_topic, status_topic
from ops.verify.visit import Check, SkippedError, StepError, Visit, expect

SILENCE_SECONDS: Final = 0.5
"""After the neighbour has heard of a change, this long for it to reach somebody it should not."""
SWEEP_SECONDS: Final = 60.0


async def reach(visit: Visit) -> str:
    """A connection opens at the URL with the stage in it."""
    url = visit.deployed.url
    if not urlsplit(url).path.strip("/"):
        raise StepError(f"there is no stage in {url}")
    await visit.arrive("merchant")
    return url


async def ping(visit: Visit) -> str:
    """PING is answered with PONG."""
    await visit.ping()
    return ""


async def register(visit: Visit) -> str:
    """The merchant registers, and is a merchant of its business."""
    people = visit.people
    answer = await visit.register("merchant", people.merchant_token, businessId=people.business_id)
    expect(answer, type="REGISTERED", entityType="merchant", businessId=people.business_id)
    if user := subject(people.merchant_token):
        expect(answer, userId=user)
    return f"merchant of {people.business_id}"


async def merchant_row(visit: Visit) -> str:
    """The connections table calls the connection a merchant's."""
    row = visit.may.rows.connection(visit.id_of("merchant"))
    expect(row, entityType="merchant", businessId=visit.people.business_id)
    return "entityType merchant"


async def subscribe_orders(visit: Visit) -> str:
    """SUBSCRIBE_ORDERS is acknowledged, and its row stands in the subscriptions table."""
    topic = business_topic(visit.people.business_id)
    subscription_id = visit.will_subscribe("merchant", topic)
    answer = await visit.client("merchant").request(
        action="SUBSCRIBE_ORDERS", businessId=visit.people.business_id
    )
    expect(answer, type="SUBSCRIBED", entityType="merchant")
    expect(visit.may.rows.subscription(subscription_id), entityType="merchant", topic=topic)
    return "acknowledged, row says entityType merchant"


async def heartbeat(visit: Visit) -> str:
    """A heartbeat is answered in the merchant app's words, and where it is ours in the others'."""
    merchant = visit.client("merchant")
    expect(await merchant.request(action="HEARTBEAT"), type="HEARTBEAT_ACK")
    if "heartbeat" not in visit.deployed.routes:
        return "HEARTBEAT_ACK"
    expect(await merchant.request(action="heartbeat"), action="heartbeat_response")
    return "HEARTBEAT_ACK, heartbeat_response"


async def customer_subscribes(visit: Visit) -> str:
    """A customer and a neighbour subscribe to the shop's status, and are told how it stands now."""
    visit.client("merchant")
    visit.needs_route("subscribe_business_status")
    business_id, token = visit.people.business_id, visit.people.customer_token
    if not token:
        visit.needs_route("unsubscribe_business_status")
    for who in ("customer", "neighbour"):
        client = await visit.arrive(who)
        if token:
            expect(await visit.register(who, token), type="REGISTERED", entityType="customer")
        else:  # ending what is not there yet writes nothing, and tells whose row will be ours
            answer = await client.request(
                action="unsubscribe_business_status", businessId=business_id
            )
            expect(answer, action="ack", originalAction="unsubscribe_business_status")
            visit.knows(who, str(answer["subscriptionId"]).rpartition("#")[0])
        visit.will_subscribe(who, status_topic(business_id))
        answer = await client.request(action="subscribe_business_status", businessId=business_id)
        expect(answer, action="ack", originalAction="subscribe_business_status")
        visit.version = int(answer.get("version") or 0)
    return f"{'open' if answer.get('isActive') else 'closed'}, version {visit.version}"


async def toggle(visit: Visit) -> str:
    """The shop's switch is flipped and flipped back, and every version is a new one."""
    visit.id_of("merchant")
    found = visit.will_switch(visit.people.business_id)
    heard: list[float] = []
    for active in (not found.is_open, found.is_open):
        mark = visit.clients["customer"].events_seen if "customer" in visit.ids else 0
        flipped = time.monotonic()
        await _switch(visit, active)
        if "customer" not in visit.ids:
            continue
        event = await visit.client("customer").event(_is_status_change, after=mark)
        heard.append(time.monotonic() - flipped)
        expect(event["data"], status="online" if active else "offline")
        expect(event, version=visit.version)
    row = visit.may.rows.subscription(status_topic(found.business_id))
    expect(row, isActive=found.is_open, version=str(visit.version))
    seen = ", ".join(f"{seconds:.2f} s" for seconds in heard)
    return f"version {visit.version}" + (f", seen after {seen}" if heard else ", seen by nobody")


async def new_order(visit: Visit) -> str:
    """An order that is written to the orders table reaches the merchant's device."""
    if not visit.may.with_order:
        raise SkippedError("it writes to the orders table: say --with-order")
    visit.id_of("merchant")
    order_id = f"verify-{uuid.uuid4().hex[:12]}"
    merchant = visit.client("merchant")
    mark = merchant.events_seen
    visit.will_order(order_id)
    visit.may.rows.place_order(order_id, visit.people.business_id)
    await merchant.event(
        lambda event: event.get("type") == "NEW_ORDER" and order_id in json.dumps(event),
        after=mark,
    )
    visit.may.rows.remove_order(order_id)
    return ""


async def silence(visit: Visit) -> str:
    """After unsubscribing the customer hears nothing of the switch, while a neighbour does."""
    visit.id_of("customer")
    visit.needs_route("unsubscribe_business_status")
    customer, neighbour = visit.client("customer"), visit.client("neighbour")
    found = visit.will_switch(visit.people.business_id)
    answer = await customer.request(
        action="unsubscribe_business_status", businessId=found.business_id
    )
    expect(answer, action="ack", originalAction="unsubscribe_business_status")
    mark, mark_of_neighbour = customer.events_seen, neighbour.events_seen
    for active in (not found.is_open, found.is_open):
        await _switch(visit, active)
    last = visit.version
    await neighbour.event(lambda event: event.get("version") == last, after=mark_of_neighbour)
    await asyncio.sleep(SILENCE_SECONDS)
    heard = [event for event in customer.events(mark) if _is_status_change(event)]
    if heard:
        raise StepError(f"{len(heard)} events arrived after the unsubscription")
    return "a neighbour who is still subscribed was told"


async def disconnect(visit: Visit) -> str:
    """Closing the connections removes their rows, and the janitor what the platform leaves."""
    visit.client("merchant")
    await visit.stack.aclose()
    rows = visit.may.rows
    for who, connection_id in visit.ids.items():
        if not becomes(lambda c=connection_id: not rows.connection(c)):
            raise StepError(f"the {who}'s connection row is still there after 10 s")
    if not visit.may.with_sweep:
        return "the janitor was not started (--with-sweep)"
    rows.sweep()
    for subscription in sorted(visit.traces.subscriptions):
        if not becomes(lambda s=subscription: not rows.subscription(s), SWEEP_SECONDS):
            raise StepError(f"{subscription} is still there {SWEEP_SECONDS:.0f} s after a sweep")
    return "gone from both tables"


async def leave_nothing(visit: Visit) -> str:
    """Every row that verification made is deleted, and the business is as it was found."""
    if reason := visit.may.guard.put_back():
        raise StepError(reason)
    left = [key for key in visit.traces.subscriptions if visit.may.rows.subscription(key)]
    left += [key for key in visit.traces.connections if visit.may.rows.connection(key)]
    if left:
        raise StepError(f"still there: {', '.join(left)}")
    for found in visit.traces.businesses.values():
        if (now := visit.may.rows.business(found.business_id)) != found:
            raise StepError(f"found {found}, left {now}")
    return "no row of ours, the business as it was"


FULL: Final[tuple[tuple[str, Check], ...]] = (
    ("reach the API at its URL", reach),
    ("PING", ping),
    ("register as the business's merchant", register),
    ("connection row says merchant", merchant_row),
    ("subscribe to orders", subscribe_orders),
    ("heartbeat", heartbeat),
    ("a customer subscribes to the shop's status", customer_subscribes),
    ("switch off and on, seen by the customer", toggle),
    ("a new order reaches the merchant", new_order),
    ("silence after unsubscribing", silence),
    ("another's business is refused", refusals.another_business),
    ("a customer posing as a merchant is refused", refusals.customer_is_no_merchant),
    ("malformed messages are refused", refusals.malformed),
    ("an oversized message is refused", refusals.oversized),
    ("an unknown action is answered", refusals.unknown),
    ("disconnecting cleans up", disconnect),
    ("nothing is left behind", leave_nothing),
)

READ_ONLY: Final[tuple[tuple[str, Check], ...]] = (
    ("reach the API at its URL", reach),
    ("PING", ping),
    ("malformed messages are refused", refusals.malformed),
    ("an oversized message is refused", refusals.oversized),
    ("an unknown action is answered", refusals.unknown),
)
"""What leaves no trace but the connection itself, for production at any time."""


async def _switch(visit: Visit, active: bool) -> None:
    answer = await visit.client("merchant").request(
        action="BUSINESS_STATUS_UPDATE", businessId=visit.people.business_id, isActive=active
    )
    expect(answer, type="BUSINESS_STATUS_UPDATED", isActive=active)
    version = int(answer["version"])
    if version <= visit.version:
        raise StepError(f"the version went from {visit.version} to {version}")
    visit.version = version


def _is_status_change(event: Message) -> bool:
    return event.get("type") == "MERCHANT_STATUS_CHANGE"
