"""A Lambda still at work when verification ends: what it writes late is put back, or refused."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import pytest

from ops.deployed import parse
from ops.verify import client, traces
from ops.verify.rows import Rows, business_topic
from tests.gateway.devices import Device
from tests.ops.verify.held import Held
from tests.ops.verify.stack import Stack

pytestmark = [
    pytest.mark.cloud,
    pytest.mark.xdist_group("verified"),
    pytest.mark.usefixtures("nothing_stays"),
]


@pytest.mark.parametrize("moment", ["clear", "business"])
def test_a_toggle_that_is_done_while_things_are_put_back_leaves_the_shop_as_it_was_found(
    stack: Stack, held: Held, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    deployed = parse(stack.outputs)
    with Device(url=stack.deployed.url) as device:
        connection_id = stack.deployed.register(device, "merchant1")
        device.ask("SUBSCRIBE_ORDERS", businessId=stack.business)
        made = traces.Traces(
            connections={connection_id},
            subscriptions={f"{connection_id}#{business_topic(stack.business)}"},
            businesses={stack.business: Rows(deployed, None).business(stack.business)},
        )
        held.stop("before", f"merchant_status_{stack.business}")
        device.send(
            "BUSINESS_STATUS_UPDATE", businessId=stack.business, isActive=False, requestId="off"
        )
        assert held.stopped()
        done = getattr(Rows, moment)

        def done_while_the_toggle_is(*arguments: Any, **named: Any) -> Any:
            """The toggle comes to its end before a clearing, or between a look and what follows."""
            seen = done(*arguments, **named) if moment == "business" else None
            held.let_go()
            device.wait(lambda message: message.get("requestId") == "off")
            return seen or done(*arguments, **named)

        monkeypatch.setattr(Rows, moment, done_while_the_toggle_is)
        assert traces.put_back(deployed, None, stack.token("merchant1"), made) == ""


def test_a_toggle_of_whoever_puts_things_back_that_is_never_answered_is_refused_later(
    stack: Stack, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where another device of the business is subscribed, and one switch was off before."""
    deployed = parse(stack.outputs)
    with Device(url=stack.deployed.url) as device:
        stack.deployed.register(device, "merchant1")
        device.ask("SUBSCRIBE_ORDERS", businessId=stack.business)
        stack.set_business("SET isActive = :a, acceptingOrders = :b", a=True, b=False)
        before = stack.rows()
        made = traces.Traces(
            businesses={stack.business: Rows(deployed, None).business(stack.business)}
        )
        stack.set_business("SET isActive = :a, acceptingOrders = :a", a=True)
        held.stop("before", f"merchant_status_{stack.business}")
        monkeypatch.setattr(client, "ANSWER_SECONDS", 3.0)
        assert traces.put_back(deployed, None, stack.token("merchant1"), made) == ""
        assert held.stopped()
        held.let_go()
        assert held.tried()
        try:
            assert stack.rows() == before
        finally:
            stack.set_business("SET isActive = :a, acceptingOrders = :a", a=True)
            device.ask("MERCHANT_LOGOUT", businessId=stack.business)


def test_killed_before_it_learns_of_a_subscription_that_is_made_it_leaves_none(
    stack: Stack, held: Held
) -> None:
    held.stop("after", f"#merchant_status_{stack.business}")
    process = stack.start(VERIFY_CUSTOMER_TOKEN="")
    assert held.stopped()
    os.killpg(process.pid, signal.SIGKILL)
    assert process.stdout is not None
    sys.stdout.write(process.stdout.read())
    process.wait(30)
