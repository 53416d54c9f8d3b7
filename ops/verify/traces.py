"""What verification leaves behind while it runs, and how all of it is put back.

Every trace is noted before it is made, so that whoever puts things back knows of it even when
verification ends in between.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError
from websockets import WebSocketException

from ops.deployed import Deployed
from ops.errors import OperatorError
from ops.verify.client import NoAnswerError, connected
from ops.verify.rows import Business, Rows, business_topic, status_topic


@dataclass(kw_only=True)
class Traces:
    """Rows that are there because of us, and businesses as they were before we touched them."""

    connections: set[str] = field(default_factory=set[str])
    subscriptions: set[str] = field(default_factory=set[str])
    orders: set[str] = field(default_factory=set[str])
    businesses: dict[str, Business] = field(default_factory=dict[str, Business])

    @property
    def any(self) -> bool:
        """Whether there is anything to put back."""
        return bool(self.connections or self.subscriptions or self.orders or self.businesses)


def put_back(deployed: Deployed, profile: str | None, token: str, traces: Traces) -> str:
    """Delete the rows and turn the switches back; returns why that failed, or nothing.

    What can be put back is, also where something else cannot. The rows of our connections go before
    any switch is looked at: a Lambda that is still at work for one of them writes subscriptions and
    toggles only while these are there, so it was done before the look, or is refused.
    """
    reasons: list[str] = []
    try:
        rows = Rows(deployed, profile)
    except (ClientError, BotoCoreError, OperatorError) as error:
        return str(error)
    for attempt in (
        lambda: [rows.remove_order(order) for order in traces.orders],
        lambda: rows.clear(connections=traces.connections, subscriptions=traces.subscriptions),
        *(
            lambda found=found: _switch_back(deployed, rows, token, found)
            for found in traces.businesses.values()
        ),
    ):
        try:
            attempt()
        except (ClientError, BotoCoreError, OperatorError) as error:
            reasons.append(str(error))
    return "; ".join(reasons)


def _switch_back(deployed: Deployed, rows: Rows, token: str, found: Business) -> None:
    """First by a toggle, which tells customers too; then what a toggle does not know of."""
    if rows.business(found.business_id).is_open != found.is_open:
        made = Traces()
        try:
            asyncio.run(_toggle(deployed.url, token, found, made))
        except (NoAnswerError, OSError, WebSocketException):
            pass  # customers learn of it with their next subscription; the tables come right below
        finally:
            rows.clear(connections=made.connections, subscriptions=made.subscriptions)
    if rows.business(found.business_id).switches != found.switches:
        rows.set_switches(found)
    if not found.has_status_row:
        rows.clear(subscriptions=[status_topic(found.business_id)])


async def _toggle(url: str, token: str, found: Business, made: Traces) -> None:
    async with connected(url) as client:
        registered = await client.request(
            action="REGISTER_CONNECTION", token=token, businessId=found.business_id
        )
        if "connectionId" not in registered:
            return
        connection_id = str(registered["connectionId"])
        made.connections.add(connection_id)
        made.subscriptions.add(f"{connection_id}#{business_topic(found.business_id)}")
        # A toggle takes a subscribed device's row along or is not done: one that is still under way
        # when the row is deleted cannot come after what is put back without it.
        await client.request(action="SUBSCRIBE_ORDERS", businessId=found.business_id)
        await client.request(
            action="BUSINESS_STATUS_UPDATE",
            businessId=found.business_id,
            isActive=found.is_open,
        )
