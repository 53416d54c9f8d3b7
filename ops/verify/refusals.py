"""The steps of verification that ask for what must be refused."""

from __future__ import annotations

import json
from typing import Final

from ops.verify.client import Message
from ops.verify.rows import Business, business_topic
from ops.verify.visit import StepError, Visit

OVERSIZED: Final = 20_000
"""Bytes: over the 16 KB of our own limit, and under the 32 KB of a frame, beyond which API Gateway
ends the connection itself:
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""


async def another_business(visit: Visit) -> str:
    """The merchant cannot speak for a business that is another's."""
    visit.id_of("merchant")
    other = visit.will_switch(visit.people.other_business_id)
    for action in ("SUBSCRIBE_ORDERS", "BUSINESS_STATUS_UPDATE"):
        if action == "SUBSCRIBE_ORDERS":
            visit.will_subscribe("merchant", business_topic(other.business_id))
        answer = await visit.client("merchant").request(
            action=action, businessId=other.business_id, isActive=not other.is_open
        )
        _refused(answer, "forbidden", "not_found")
    _untouched(visit, other)
    return str(answer["code"])


async def customer_is_no_merchant(visit: Visit) -> str:
    """A customer cannot flip the switch, whatever it claims to be."""
    visit.id_of("customer")
    found = visit.will_switch(visit.people.business_id)
    answer = await visit.client("customer").request(
        action="BUSINESS_STATUS_UPDATE",
        businessId=found.business_id,
        entityType="merchant",
        isActive=not found.is_open,
    )
    _refused(answer, "forbidden", "not_found", "not_registered")
    _untouched(visit, found)
    return str(answer["code"])


async def malformed(visit: Visit) -> str:
    """What is no JSON is answered by whoever takes it, a wrong field is refused with its code."""
    merchant = visit.client("merchant")
    await merchant.request_text("no json")
    _refused(await merchant.request(action="REGISTER_CONNECTION", token=7), "invalid")
    await visit.ping()
    return "invalid, and the connection goes on"


async def oversized(visit: Visit) -> str:
    """A message over the limit is refused with its code."""
    text = json.dumps({"action": "PING", "filler": "x" * OVERSIZED})
    answer = await visit.client("merchant").request_text(text)
    _refused(answer, "too_large")
    return "too_large"


async def unknown(visit: Visit) -> str:
    """An unknown action does nothing but to be answered, and the connection goes on."""
    text = json.dumps({"action": "no_such_action"})
    answer = await visit.client("merchant").request_text(text)
    said = answer.get("code") or answer.get("action") or answer.get("message")
    if not said or answer.get("type") not in {None, "ERROR"}:
        raise StepError(f"answered with {answer}"[:400])
    await visit.ping()
    return f"{said}, and the connection goes on"


def _refused(answer: Message, *codes: str) -> None:
    if answer.get("type") != "ERROR" or answer.get("code") not in codes:
        raise StepError(f"not refused with {' or '.join(codes)}: {answer}"[:400])


def _untouched(visit: Visit, found: Business) -> None:
    now = visit.may.rows.business(found.business_id)
    if now.is_open != found.is_open:
        raise StepError(f"refused, and done all the same: {dict(now.switches)}")
