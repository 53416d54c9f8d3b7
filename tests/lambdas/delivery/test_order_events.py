"""The consumer of the orders stream, from records to what arrives at connections."""

import json
from typing import Any

import pytest

from lambdas import broadcasting, clients, fanout, order_events
from lambdas.rows import iso
from tests.gateway.calls import BROKEN, THROTTLED, Calls
from tests.gateway.clock import VirtualClock
from tests.gateway.streams import Stream
from tests.lambdas.delivery.conftest import Place, context

NOW = iso(1_767_225_600)


@pytest.fixture
def stream(place: Place) -> Stream:
    place.tables.businesses.put({"businessId": "b1", "ownerId": "m1"})
    return Stream(table=place.tables.orders, clock=VirtualClock())


def order(order_id: str = "o1", **attributes: Any) -> dict[str, Any]:
    row = {
        "orderId": order_id,
        "businessId": "b1",
        "customerId": "c1",
        "status": "pending",
        "createdAt": NOW,
        **attributes,
    }
    return {name: value for name, value in row.items() if value is not None}


def device(place: Place, owner: str = "m1") -> str:
    connection_id = place.connection("merchant", userId=owner, businessId="b1")
    place.subscribe(connection_id, "business:b1", subscriptionType="business_status")
    return connection_id


def customer(place: Place, user_id: str = "c1", order_id: str = "o1", **attributes: Any) -> str:
    connection_id = place.connection("customer", userId=user_id)
    place.subscribe(connection_id, f"order:{order_id}", **attributes)
    return connection_id


def test_a_new_order_reaches_every_device_of_its_merchant(place: Place, stream: Stream) -> None:
    devices, stranger = [device(place), device(place)], device(place, owner="m2")
    written = stream.put(order())
    stream.drain(order_events.handler)
    for one in devices:
        (message,) = place.delivered(one)
        assert (message["type"], message["eventId"]) == ("NEW_ORDER", written["eventID"])
    assert place.delivered(stranger) == []


def test_a_merchant_whose_business_is_closed_hears_of_its_orders(
    place: Place, stream: Stream
) -> None:
    connection_id = place.connection("merchant", userId="m1", businessId="b1")
    place.subscribe(
        connection_id, "business:b1", subscriptionType="business_status", isActive=False
    )
    stream.put(order())
    stream.drain(order_events.handler)
    assert len(place.delivered(connection_id)) == 1


def test_an_order_of_the_customers_app_reaches_the_merchant_too(
    place: Place, stream: Stream
) -> None:
    merchant = device(place)
    stream.put(order(businessId=None, storeId="b1"))
    stream.drain(order_events.handler)
    assert len(place.delivered(merchant)) == 1


def test_a_change_reaches_the_subscribers_of_the_order_in_order(
    place: Place, stream: Stream
) -> None:
    buyer, other = customer(place), customer(place, order_id="o2")
    stream.put(order())
    stream.update("o1", status="confirmed")
    stream.update("o1", status="ready")
    stream.drain(order_events.handler)
    assert [message["status"] for message in place.delivered(buyer)] == ["confirmed", "ready"]
    assert place.delivered(other) == []


def test_a_subscriber_who_is_no_party_gets_nothing(place: Place, stream: Stream) -> None:
    spy = customer(place, user_id="c2")
    stream.put(order())
    stream.update("o1", status="confirmed")
    stream.drain(order_events.handler)
    assert place.delivered(spy) == []


def test_a_driver_of_whom_the_order_was_taken_hears_no_more_of_it(
    place: Place, stream: Stream
) -> None:
    former = place.connection("driver", userId="d1")
    place.subscribe(former, "order:o1")
    stream.put(order(driverId="d1"))
    stream.update("o1", status="picked_up")
    # The stream is behind: the order is another driver's before the first change is delivered.
    stream.update("o1", driverId="d2")
    stream.drain(order_events.handler)
    assert place.delivered(former) == []


def test_a_filter_holds_back_what_is_not_wanted(place: Place, stream: Stream) -> None:
    buyer = customer(place, filter={"statuses": ["delivered"], "entityTypes": ["driver"]})
    stream.put(order())
    for status in ("confirmed", "picked_up", "delivered"):
        stream.update("o1", status=status)
    stream.drain(order_events.handler)
    assert [message["status"] for message in place.delivered(buyer)] == ["delivered"]


def test_records_that_come_again_are_not_delivered_again(place: Place, stream: Stream) -> None:
    merchant = device(place)
    written = stream.put(order())
    stream.drain(order_events.handler)
    stream.deliver(order_events.handler, [written])
    assert len(place.stub.posts[merchant]) == 1


def test_a_deletion_is_passed_over(place: Place, stream: Stream) -> None:
    merchant = device(place)
    stream.put(order())
    stream.remove("o1")
    stream.drain(order_events.handler)
    assert len(place.delivered(merchant)) == 1
    assert place.queue.dead_letters() == []


def test_who_could_not_be_reached_is_tried_again_by_the_worker(
    place: Place, stream: Stream
) -> None:
    merchant, other = device(place), device(place)
    place.stub.answer = lambda connection_id, attempt: (
        429 if connection_id == merchant and attempt < 3 else 200
    )
    stream.put(order())
    stream.drain(order_events.handler)
    assert (len(place.delivered(merchant)), len(place.delivered(other))) == (0, 1)
    place.queue.drain(fanout.handler)
    assert (len(place.delivered(merchant)), len(place.delivered(other))) == (1, 1)


def test_a_device_that_is_gone_is_no_failure_and_loses_its_rows(
    place: Place, stream: Stream
) -> None:
    merchant = device(place)
    place.stub.answer = lambda *_: 410
    stream.put(order())
    stream.drain(order_events.handler)
    assert stream.dead_letters == []
    assert place.tables.connections.get(merchant) is None
    assert place.tables.subscriptions.rows() == []


# --- Poison and faults ----------------------------------------------------------------------------


def poison(stream: Stream) -> dict[str, Any]:
    record = stream.record("INSERT", new=order("bad"), old=None)
    record["dynamodb"]["NewImage"] = {"orderId": {"?": "bad"}}
    stream.waiting.append(record)
    return record


def test_a_record_that_nobody_can_read_goes_to_the_dead_letters_and_blocks_nobody(
    place: Place, stream: Stream
) -> None:
    merchant = device(place)
    stream.put(order("o1"))
    bad = poison(stream)
    stream.put(order("o2"))
    stream.drain(order_events.handler)
    sent = [message["payload"]["data"]["orderId"] for message in place.delivered(merchant)]
    assert sent == ["o1", "o2"]
    (letter,) = (json.loads(body) for body in place.queue.dead_letters())
    assert letter["record"] == bad
    assert letter["reason"]
    assert stream.invocations == 1


def test_a_record_too_large_for_a_letter_is_named_in_one(place: Place, stream: Stream) -> None:
    record = stream.record("INSERT", new={"orderId": "bad", "notes": "x" * 300_000}, old=None)
    answer = order_events.handler({"Records": [record]}, context())
    assert answer == {"batchItemFailures": []}
    (letter,) = (json.loads(body) for body in place.queue.dead_letters())
    assert letter["record"] == {
        "eventID": record["eventID"],
        "keys": record["dynamodb"].get("Keys"),
    }


def test_when_the_dead_letters_cannot_be_written_the_record_comes_again(
    place: Place, stream: Stream
) -> None:
    bad = poison(stream)
    calls = Calls()
    failures = iter([BROKEN] * 3)
    with calls.watching([clients.sqs()]):
        calls.refuse = lambda *_: next(failures, None)
        answer = order_events.handler({"Records": [bad]}, context())
        assert answer == {
            "batchItemFailures": [{"itemIdentifier": bad["dynamodb"]["SequenceNumber"]}]
        }
        stream.drain(order_events.handler)
    assert len(place.queue.dead_letters()) == 1


def test_a_fault_that_passes_stops_the_batch_where_it_happened(
    place: Place, stream: Stream
) -> None:
    merchant = device(place)
    records = [stream.put(order(f"o{number}")) for number in range(3)]
    original = broadcasting.subscribers.page
    seen: list[str] = []

    def page(topic: str, start_key: dict[str, str] | None = None) -> Any:
        seen.append(topic)
        return original(topic, start_key)

    calls = Calls()
    with pytest.MonkeyPatch.context() as patch, calls.watching([clients.dynamodb()]):
        patch.setattr(broadcasting.subscribers, "page", page)
        # The second record's query fails, with each of the client's own tries.
        calls.refuse = lambda call, _: (
            THROTTLED if call.operation == "Query" and len(seen) == 2 else None
        )
        answer = order_events.handler({"Records": records}, context())
    number = records[1]["dynamodb"]["SequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": number}]}
    assert len(place.delivered(merchant)) == 1
    stream.drain(order_events.handler)
    sent = [message["payload"]["data"]["orderId"] for message in place.delivered(merchant)]
    assert sent == ["o0", "o1", "o2"]


def test_when_nothing_can_be_read_the_whole_batch_comes_again(place: Place, stream: Stream) -> None:
    merchant = device(place)
    records = [stream.put(order("o1")), stream.put(order("o2"))]
    calls = Calls()
    with calls.watching([clients.dynamodb()]):
        calls.refuse = lambda *_: BROKEN
        answer = order_events.handler({"Records": records}, context())
    number = records[0]["dynamodb"]["SequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": number}]}
    stream.drain(order_events.handler)
    assert len(place.delivered(merchant)) == 2


def test_an_invocation_without_time_leaves_the_records_to_the_next(
    place: Place, stream: Stream
) -> None:
    merchant = device(place)
    written = stream.put(order())
    answer = order_events.handler({"Records": [written]}, context(remaining_ms=1000))
    number = written["dynamodb"]["SequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": number}]}
    assert place.delivered(merchant) == []


def test_a_batch_costs_two_calls_more_than_its_events(place: Place, stream: Stream) -> None:
    device(place)
    records = [stream.put(order(f"o{number}")) for number in range(10)]
    calls = Calls()
    with calls.watching([clients.dynamodb(), clients.sqs()]), calls.counting() as made:
        order_events.handler({"Records": records}, context())
    # For each event a query of the topic and a read of the connections that it found.
    assert len(made) == 2 + 2 * 10
