"""A record that nobody can read reaches the dead-letter queue and holds up nothing."""

import json
from typing import Any

import pytest

from lambdas import fanout
from tests.gateway.backend import Backend
from tests.gateway.devices import Device


@pytest.fixture
def device(backend: Backend) -> Device:
    backend.business("b1", owner="m1")
    device = backend.merchant("m1", "b1")
    device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.deliver()
    return device


def poison(record: dict[str, Any], kind: str) -> None:
    change = record["dynamodb"]
    match kind:
        case "no image":
            del change["NewImage"]
        case "no order id":
            del change["NewImage"]["orderId"]
        case "a number for an id":
            change["NewImage"]["orderId"] = {"N": "1"}
        case "an unknown attribute type":
            change["NewImage"]["status"] = {"X": "pending"}
        case "a nameless value":
            change["NewImage"]["status"] = "pending"
        case "no business":
            del change["NewImage"]["businessId"]
        case "no event name":
            del record["eventName"]
        case "nothing":
            record["dynamodb"] = {"SequenceNumber": change["SequenceNumber"]}


@pytest.mark.parametrize(
    "kind",
    [
        "no image",
        "no order id",
        "a number for an id",
        "an unknown attribute type",
        "a nameless value",
        "no business",
        "no event name",
        "nothing",
    ],
)
def test_a_poison_record_is_buried_and_those_around_it_arrive(
    backend: Backend, device: Device, kind: str
) -> None:
    backend.order("before")
    backend.order("poison")
    poison(backend.orders.waiting[-1], kind)
    backend.order("after")
    backend.deliver()
    device.wait(lambda _: len(device.events("NEW_ORDER")) >= 2, "two orders")
    device.ask("PING")
    ids = [m["payload"]["data"]["orderId"] for m in device.events("NEW_ORDER")]
    assert ids == ["before", "after"]
    letters = [json.loads(letter) for letter in backend.queue.dead_letters()]
    assert len(letters) + len(backend.orders.dead_letters) == 1
    assert backend.orders.errors == []


@pytest.mark.parametrize("body", ["null", "{}", '{"type": "nonsense"}', "[" * 1000])
def test_a_queue_message_that_nobody_can_read_reaches_the_dead_letters(
    backend: Backend, device: Device, body: str
) -> None:
    backend.queue.client.send_message(QueueUrl=backend.queue.url, MessageBody=body)
    backend.order("o1")
    backend.deliver()
    device.expect("NEW_ORDER")
    backend.queue.drain(fanout.handler)
    assert backend.queue.dead_letters() == [body]
    assert backend.queue.errors == []


def test_an_order_with_odd_values_is_told_as_far_as_it_can_be_read(
    backend: Backend, device: Device
) -> None:
    backend.order("o1", totalAmount="a lot", items="tea", customerName=7, notes=None)
    backend.deliver()
    data = device.expect("NEW_ORDER")["payload"]["data"]
    assert data["orderId"] == "o1"
    assert "totalAmount" not in data
    assert "customerName" not in data
