"""The fan-out worker, from a queue message to what arrives at connections."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Raw

from bench.management_stub import HANG
from lambdas import audience, broadcasting, clients, delivery, fanout, jobs, management
from lambdas.jobs import ANYONE, Direct, Merchant, Parties
from tests.gateway.calls import BROKEN, THROTTLED, Calls
from tests.lambdas.delivery.conftest import Place, broadcast, context, soon

TOPIC = "merchant_status_b1"


def run(place: Place, *queued: jobs.Job) -> None:
    """Queue jobs and let workers run until nothing waits."""
    jobs.enqueue_all(queued)
    place.queue.drain(fanout.handler)


def gone(*connection_ids: str) -> Callable[[str, int], int]:
    return lambda connection_id, _: 410 if connection_id in connection_ids else 200


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Further tries wait in the queue for nobody."""
    monkeypatch.setattr(delivery, "RETRY_DELAYS", (0, 0, 0))


# --- Everyone, once -------------------------------------------------------------------------------


def test_everyone_who_subscribed_to_a_topic_gets_a_public_event_once(place: Place) -> None:
    first, second = place.connection(), place.connection()
    place.subscribe(first, TOPIC)
    place.subscribe(second, TOPIC)
    place.subscribe(place.connection(), "merchant_status_b2")
    run(place, broadcast(TOPIC))
    assert dict(place.stub.delivered) == {
        first: [b'{"eventId":"event-1"}'],
        second: [b'{"eventId":"event-1"}'],
    }


def test_rows_of_the_platform_are_reached_by_a_public_event_too(place: Place) -> None:
    customer = place.connection(registeredBy=None)
    place.subscribe(
        customer, TOPIC, subscriptionId=f"{customer}_business_status_17", writtenBy=None, ttl=None
    )
    run(place, broadcast(TOPIC))
    assert len(place.delivered(customer)) == 1


def test_a_connection_with_two_rows_is_told_once(place: Place) -> None:
    customer = place.connection()
    place.subscribe(customer, TOPIC)
    place.subscribe(customer, TOPIC, subscriptionId=f"{customer}_business_status_17")
    run(place, broadcast(TOPIC))
    assert len(place.stub.posts[customer]) == 1


def test_the_row_with_the_version_is_nobody(place: Place) -> None:
    place.tables.subscriptions.put(
        {"subscriptionId": TOPIC, "topic": TOPIC, "createdAt": "2026-01-01", "version": 3}
    )
    run(place, broadcast(TOPIC))
    assert place.stub.posts == {}
    assert place.tables.subscriptions.get(TOPIC) is not None


def test_a_large_audience_is_served_in_shares_and_nobody_is_missed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "SHARE", 100)
    ids = place.subscribed(730, TOPIC)
    jobs.enqueue(broadcast(TOPIC))
    batches = place.queue.drain(fanout.handler, batch=1)
    assert batches == 8
    assert set(place.stub.delivered) == set(ids)
    assert {len(bodies) for bodies in place.stub.delivered.values()} == {1}


def test_an_audience_of_more_than_a_megabyte_is_read_to_its_end(place: Place) -> None:
    ids = [place.connection() for _ in range(2)]
    # Rows so large that a page of a query holds three of them.
    rows = [
        {
            "subscriptionId": f"Filler{number:03d}#{TOPIC}",
            "connectionId": f"Filler{number:03d}",
            "topic": TOPIC,
            "createdAt": f"2026-01-01T00:00:{number:02d}.000Z",
            "ttl": int(time.time()) + 60,
            "padding": "x" * 300_000,
        }
        for number in range(8)
    ]
    for row in rows:
        place.tables.subscriptions.put(row)
    for connection_id in ids:
        place.subscribe(connection_id, TOPIC, createdAt="2026-02-01T00:00:00.000Z")
    run(place, broadcast(TOPIC))
    assert set(place.stub.delivered) == {*ids, *(row["connectionId"] for row in rows)}


def test_when_time_runs_out_while_reading_a_new_message_goes_on_there(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = place.subscribed(60, TOPIC)
    original = broadcasting.subscribers.page

    def small(topic: str, start_key: dict[str, str] | None = None) -> Any:
        page = original(topic, start_key)
        rest = page.subscriptions[20:]
        if not rest:
            return page
        last = page.subscriptions[19]
        row = place.tables.subscriptions.get(last.subscription_id)
        assert row is not None
        key = {name: row[name] for name in ("topic", "createdAt", "subscriptionId")}
        return replace_page(page, page.subscriptions[:20], key)

    def replace_page(page: Any, found: list[Any], key: dict[str, str]) -> Any:
        return type(page)(subscriptions=found, next_key=key)

    monkeypatch.setattr(broadcasting.subscribers, "page", small)
    # Half of the time is for reading, and there is next to none: a page for each message.
    monkeypatch.setattr(broadcasting, "monotonic", lambda: time.monotonic() + 1e6)
    jobs.enqueue(broadcast(TOPIC))
    batches = place.queue.drain(fanout.handler, batch=1)
    assert batches >= 3
    assert set(place.stub.delivered) == set(ids)


def test_when_time_runs_out_while_posting_the_rest_is_handed_on(place: Place) -> None:
    ids = place.subscribed(30, TOPIC)
    fanout.run(broadcast(TOPIC), deadline=time.monotonic())
    assert place.stub.posts == {}
    (message,) = place.queue.peek()
    job = jobs.decode(message)
    assert isinstance(job, Direct)
    assert (set(job.connection_ids), job.attempt) == (set(ids), 1)
    place.queue.drain(fanout.handler)
    assert set(place.stub.delivered) == set(ids)


def test_an_invocation_without_time_fails_instead_of_handing_on_for_ever(place: Place) -> None:
    place.subscribe(place.connection(), TOPIC)
    event = {"Records": [{"messageId": "1", "body": jobs.encode(broadcast(TOPIC))}]}
    answer = fanout.handler(event, context(remaining_ms=1000))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert place.stub.posts == {}
    assert place.queue.peek() == []


# --- Once more ------------------------------------------------------------------------------------


def test_a_message_that_comes_twice_is_delivered_once(place: Place) -> None:
    customer = place.connection()
    place.subscribe(customer, TOPIC)
    job = broadcast(TOPIC)
    run(place, job)
    place.queue.deliver_again(fanout.handler, jobs.encode(job), jobs.encode(job))
    assert len(place.stub.posts[customer]) == 1


def test_another_event_is_not_taken_for_the_first(place: Place) -> None:
    customer = place.connection()
    place.subscribe(customer, TOPIC)
    run(place, broadcast(TOPIC), broadcast(TOPIC, id="event-2"))
    assert len(place.stub.posts[customer]) == 2


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("status", [429, 500, 503])
def test_only_who_was_throttled_is_tried_again(place: Place, status: int) -> None:
    slow, fast = place.connection(), place.connection()
    place.subscribe(slow, TOPIC)
    place.subscribe(fast, TOPIC)
    place.stub.answer = lambda connection_id, attempt: (
        status if connection_id == slow and attempt <= 3 else 200
    )
    run(place, broadcast(TOPIC))
    assert len(place.delivered(slow)) == 1
    assert len(place.stub.posts[slow]) == 4
    assert len(place.stub.posts[fast]) == 1


@pytest.mark.usefixtures("patient")
def test_who_is_throttled_for_good_is_given_up_and_counted(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    customer = place.connection()
    place.subscribe(customer, TOPIC)
    place.stub.answer = lambda *_: 429
    run(place, broadcast(TOPIC))
    assert len(place.stub.posts[customer]) == 2 * (1 + len(delivery.RETRY_DELAYS))
    assert place.queue.peek() == []
    assert total(capsys, "FanoutFailed") == 1
    assert total(capsys, "FanoutRecipients", again=True) == 1
    assert place.tables.connections.get(customer) is not None


@pytest.mark.usefixtures("patient")
def test_a_post_that_is_not_answered_is_tried_again_and_holds_up_nobody(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(management, "ANSWER_SECONDS", 0.1)
    silent = place.connection()
    place.subscribe(silent, TOPIC)
    ids = place.subscribed(20, TOPIC)
    place.stub.answer = lambda connection_id, attempt: (
        HANG if connection_id == silent and attempt <= 2 else 200
    )
    run(place, broadcast(TOPIC))
    assert set(place.stub.delivered) == {silent, *ids}


def test_the_next_try_names_only_who_was_throttled(place: Place) -> None:
    slow, fast = place.connection(), place.connection()
    place.subscribe(slow, TOPIC)
    place.subscribe(fast, TOPIC)
    place.stub.answer = lambda connection_id, _: 429 if connection_id == slow else 200
    fanout.run(broadcast(TOPIC), deadline=soon())
    (message,) = place.queue.peek()
    job = jobs.decode(message)
    assert isinstance(job, Direct)
    assert (job.connection_ids, job.attempt) == ((slow,), 2)


def test_the_next_try_of_a_recipient_waits_in_the_queue(place: Place) -> None:
    customer = place.connection()
    place.subscribe(customer, TOPIC)
    place.stub.answer = lambda *_: 429
    calls: list[int] = []
    original = jobs.enqueue

    def enqueue(job: jobs.Job, *, delay: int = 0) -> None:
        calls.append(delay)
        original(job)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "enqueue", enqueue)
        run(place, broadcast(TOPIC))
    assert tuple(calls[-3:]) == delivery.RETRY_DELAYS


def test_a_refusal_is_counted_and_not_repeated(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    customer = place.connection()
    place.subscribe(customer, TOPIC)
    place.stub.answer = lambda *_: 403
    run(place, broadcast(TOPIC))
    assert len(place.stub.posts[customer]) == 1
    assert place.queue.peek() == []
    assert total(capsys, "FanoutFailed") == 1


def test_an_event_over_the_limit_is_counted_and_not_posted(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.subscribe(place.connection(), TOPIC)
    body = Raw(b'"' + b"x" * management.BODY_LIMIT + b'"')
    run(place, broadcast(TOPIC, bodies={ANYONE: body}))
    assert place.stub.posts == {}
    assert total(capsys, "FanoutFailed") == 1


# --- Gone connections -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 410])
def test_a_connection_that_is_gone_loses_its_rows_in_both_tables(place: Place, status: int) -> None:
    dead, alive = place.connection(), place.connection()
    for connection_id in (dead, alive):
        place.subscribe(connection_id, TOPIC)
        place.subscribe(connection_id, "order:o1")
        place.subscribe(connection_id, "business:b1")
    before = len(place.tables.subscriptions.rows())
    place.stub.answer = lambda connection_id, _: status if connection_id == dead else 200
    run(place, broadcast(TOPIC))
    assert place.tables.connections.get(dead) is None
    assert place.tables.connections.get(alive) is not None
    left = place.tables.subscriptions.rows()
    assert len(left) == before - 3
    assert {row["connectionId"] for row in left} == {alive}


def test_a_gone_connection_without_a_row_loses_the_subscription_that_led_to_it(
    place: Place,
) -> None:
    ours, theirs = place.connection(), place.connection()
    place.subscribe(ours, TOPIC)
    place.subscribe(theirs, TOPIC, subscriptionId=f"{theirs}_business_status_17")
    place.tables.connections.delete(ours)
    place.tables.connections.delete(theirs)
    place.stub.answer = gone(ours, theirs)
    run(place, broadcast(TOPIC))
    assert place.tables.subscriptions.rows() == []


def test_many_gone_connections_are_removed_and_nobody_else(place: Place) -> None:
    ids = place.subscribed(120, TOPIC)
    dead = set(ids[::3])
    place.stub.answer = gone(*dead)
    run(place, broadcast(TOPIC))
    alive = set(ids) - dead
    assert {row["connectionId"] for row in place.tables.connections.rows()} == alive
    assert {row["connectionId"] for row in place.tables.subscriptions.rows()} == alive
    assert set(place.stub.delivered) == alive


def test_few_gone_connections_are_removed_before_the_worker_returns(place: Place) -> None:
    dead = place.subscribed(3, TOPIC)
    place.stub.answer = gone(*dead)
    fanout.run(broadcast(TOPIC), deadline=soon())
    assert place.tables.connections.rows() == place.tables.subscriptions.rows() == []


def test_many_gone_connections_do_not_hold_up_the_delivery(place: Place) -> None:
    dead = place.subscribed(40, TOPIC)
    place.stub.answer = gone(*dead)
    calls = Calls()
    with calls.watching([clients.dynamodb(), clients.sqs()]), calls.counting() as made:
        fanout.run(broadcast(TOPIC), deadline=soon())
    assert [call.operation for call in made] == ["Query", "SendMessage"]
    place.queue.drain(fanout.handler)
    assert place.tables.connections.rows() == place.tables.subscriptions.rows() == []


def test_when_rows_cannot_be_removed_the_event_is_delivered_all_the_same(place: Place) -> None:
    dead, alive = place.connection(), place.connection()
    place.subscribe(dead, TOPIC)
    place.subscribe(alive, TOPIC)
    place.stub.answer = gone(dead)
    calls = Calls()
    with calls.watching([clients.dynamodb()]):
        calls.refuse = lambda call, _: BROKEN if call.operation == "BatchWriteItem" else None
        run(place, broadcast(TOPIC))
    assert len(place.delivered(alive)) == 1
    assert place.queue.dead_letters() == []


# --- Private audiences ----------------------------------------------------------------------------


def order(place: Place, **attributes: Any) -> None:
    place.tables.businesses.put({"businessId": "b1", "ownerId": "m1"})
    place.tables.orders.put(
        {
            "orderId": "o1",
            "businessId": "b1",
            "customerId": "c1",
            "driverId": "d1",
            "createdAt": "2026-01-01T00:00:00.000Z",
            **attributes,
        }
    )


def test_an_event_of_an_order_reaches_its_parties_and_nobody_else(place: Place) -> None:
    order(place)
    customer = place.connection("customer", userId="c1")
    driver = place.connection("driver", userId="d1")
    merchant = place.connection("merchant", userId="m1", businessId="b1")
    strangers = [
        place.connection("customer", userId="c2"),
        place.connection("driver", userId="c1"),
        place.connection("merchant", userId="m2", businessId="b1"),
        place.connection("customer", userId="c1", registeredBy=None),
        place.connection("customer", userId="c1", ttl=int(time.time()) - 1),
    ]
    for connection_id in (customer, driver, merchant, *strangers):
        place.subscribe(connection_id, "order:o1")
    run(place, broadcast("order:o1", Parties(order_id="o1")))
    assert set(place.stub.delivered) == {customer, driver, merchant}


def test_who_is_no_party_any_more_when_it_is_delivered_gets_nothing(place: Place) -> None:
    order(place, driverId="d2")
    former = place.connection("driver", userId="d1")
    present = place.connection("driver", userId="d2")
    for connection_id in (former, present):
        place.subscribe(connection_id, "order:o1")
    run(place, broadcast("order:o1", Parties(order_id="o1", driver_id="d1")))
    assert set(place.stub.delivered) == {present}


def test_the_right_to_an_event_is_checked_again_when_a_recipient_is_tried_again(
    place: Place,
) -> None:
    order(place)
    driver = place.connection("driver", userId="d1")
    place.subscribe(driver, "order:o1")
    place.stub.answer = lambda *_: 429
    fanout.run(broadcast("order:o1", Parties(order_id="o1")), deadline=soon())
    place.stub.answer = lambda *_: 200
    order(place, driverId="d2")
    place.queue.drain(fanout.handler)
    assert place.delivered(driver) == []


def test_each_entity_type_gets_its_own_words_and_none_where_there_are_none(place: Place) -> None:
    order(place)
    customer = place.connection("customer", userId="c1")
    driver = place.connection("driver", userId="d1")
    for connection_id in (customer, driver):
        place.subscribe(connection_id, "order:o1")
    bodies = {"driver": Raw(b'{"for":"driver"}')}
    run(place, broadcast("order:o1", Parties(order_id="o1"), bodies=bodies))
    assert place.delivered(driver) == [{"for": "driver"}]
    assert place.delivered(customer) == []


def test_an_event_for_the_merchant_reaches_its_own_devices_only(place: Place) -> None:
    order(place)
    devices = [place.connection("merchant", userId="m1", businessId="b1") for _ in range(2)]
    spy = place.connection("customer", userId="c1")
    for connection_id in (*devices, spy):
        place.subscribe(connection_id, "business:b1")
    run(place, broadcast("business:b1", Merchant(business_id="b1")))
    assert set(place.stub.delivered) == set(devices)


def test_a_filter_of_a_subscription_is_applied(place: Place) -> None:
    every, some = place.connection(), place.connection()
    place.subscribe(every, TOPIC)
    place.subscribe(some, TOPIC, filter={"statuses": ["ready"]})
    run(place, broadcast(TOPIC, status="pending"), broadcast(TOPIC, id="e2", status="ready"))
    assert len(place.delivered(every)) == 2
    assert len(place.delivered(some)) == 1


def test_expired_subscriptions_get_nothing(place: Place) -> None:
    place.subscribe(place.connection(), TOPIC, ttl=int(time.time()) - 1)
    run(place, broadcast(TOPIC))
    assert place.stub.posts == {}


# --- Faults ---------------------------------------------------------------------------------------


def test_a_message_that_nobody_can_read_ends_in_the_dead_letters_and_others_do_not(
    place: Place,
) -> None:
    customer = place.connection()
    place.subscribe(customer, TOPIC)
    place.queue.client.send_message(QueueUrl=place.queue.url, MessageBody='{"type":"nonsense"}')
    run(place, broadcast(TOPIC))
    assert len(place.delivered(customer)) == 1
    assert place.queue.dead_letters() == ['{"type":"nonsense"}']


@pytest.mark.parametrize("refusal", [THROTTLED, BROKEN])
def test_a_fault_that_passes_loses_and_repeats_nothing(place: Place, refusal: Any) -> None:
    customer = place.connection()
    place.subscribe(customer, TOPIC)
    calls = Calls()
    failures = iter([refusal] * 7)
    with calls.watching([clients.dynamodb()]):
        calls.refuse = lambda call, _: next(failures, None) if call.operation == "Query" else None
        run(place, broadcast(TOPIC))
    assert len(place.delivered(customer)) == 1


def test_only_the_message_that_failed_comes_again(place: Place) -> None:
    good = {"messageId": "good", "body": jobs.encode(broadcast(TOPIC))}
    bad = {"messageId": "bad", "body": "{"}
    answer = fanout.handler({"Records": [bad, good]}, context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


# --- What is counted ------------------------------------------------------------------------------


_printed: list[dict[str, Any]] = []


def total(capsys: pytest.CaptureFixture[str], metric: str, *, again: bool = False) -> float:
    """The sum of a metric over everything that was printed."""
    if not again:
        _printed[:] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return sum(line.get(metric, 0) for line in _printed if "_aws" in line)


def test_what_is_counted_as_delivered_had_arrived_before_the_worker_returned(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = place.subscribed(50, TOPIC)
    place.stub.latency = 0.02
    fanout.run(broadcast(TOPIC), deadline=soon())
    arrived = len(place.stub.delivered)
    assert arrived == len(ids)
    assert total(capsys, "FanoutDelivered") == arrived
    assert total(capsys, "FanoutRecipients", again=True) == arrived


def test_every_recipient_is_accounted_for(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    answers = dict(zip(place.subscribed(5, TOPIC), (200, 410, 429, 403, 200), strict=True))
    place.stub.answer = lambda connection_id, _: answers[connection_id]
    fanout.run(broadcast(TOPIC), deadline=soon())
    assert total(capsys, "FanoutRecipients") == 5
    assert total(capsys, "FanoutDelivered", again=True) == 2
    assert total(capsys, "FanoutStale", again=True) == 1
    assert total(capsys, "FanoutThrottled", again=True) == 1
    assert total(capsys, "FanoutFailed", again=True) == 1


def test_who_runs_a_delivery_is_told_how_it_went(place: Place) -> None:
    ids = place.subscribed(3, TOPIC)
    place.stub.answer = gone(ids[0])
    job = broadcast(TOPIC)
    direct = Direct(
        connection_ids=tuple(ids), event=job.event, audience=job.audience, correlation_id="x"
    )
    went = delivery.deliver(direct, deadline=soon())
    assert (went.delivered, went.stale) == (2, 1)
