"""The sweep: what it removes, what it leaves alone, what it counts."""

import json
import time
from typing import Any

import pytest

from lambdas import clients, fanout, janitor, jobs, outbox, progress
from lambdas.catalogue import JANITOR
from lambdas.jobs import Broadcast
from lambdas.rows import iso, status_topic
from tests.gateway.calls import Calls
from tests.lambdas.delivery.conftest import Place, context

TOPIC = "order:o1"


def sweep(remaining_ms: int = 300_000) -> None:
    janitor.handler({}, context(remaining_ms=remaining_ms))


def ids(place: Place) -> set[str]:
    return {row["subscriptionId"] for row in place.tables.subscriptions.rows()}


def test_a_subscription_whose_connection_is_gone_is_removed(place: Place) -> None:
    alive, dead = place.connection(), place.connection()
    kept = place.subscribe(alive, TOPIC)
    place.subscribe(dead, TOPIC)
    place.tables.connections.delete(dead)
    sweep()
    assert ids(place) == {kept}


def test_a_subscription_whose_connection_has_expired_is_removed(place: Place) -> None:
    place.subscribe(place.connection(ttl=int(time.time()) - 1), TOPIC)
    sweep()
    assert ids(place) == set()


def test_a_subscription_that_has_expired_itself_is_removed(place: Place) -> None:
    place.subscribe(place.connection(), TOPIC, ttl=int(time.time()) - 1)
    sweep()
    assert ids(place) == set()


def test_rows_of_others_are_left_alone_whatever_they_look_like(place: Place) -> None:
    kept = {
        place.subscribe("Gone1234=", TOPIC, writtenBy=None),
        place.subscribe("Gone1235=", TOPIC, writtenBy="another app"),
        place.subscribe("Gone1236=", TOPIC, writtenBy=None, ttl=None),
    }
    place.tables.subscriptions.put({"subscriptionId": "merchant_status_b1", "version": 4})
    place.tables.connections.put({"connectionId": "VIRTUAL_b1_u1_17", "isLoginTracking": True})
    place.tables.connections.put({"connectionId": "Old=", "ttl": 1, "entityType": "customer"})
    sweep()
    assert ids(place) == {*kept, "merchant_status_b1"}
    assert len(place.tables.connections.rows()) == 2


def test_it_writes_nothing_where_there_is_nothing_to_do(place: Place) -> None:
    place.subscribe(place.connection(), TOPIC)
    before = place.tables.snapshot()
    calls = Calls()
    with calls.watching([clients.dynamodb()]), calls.counting() as made:
        sweep()
    assert {call.operation for call in made} == {"GetItem", "Scan", "BatchGetItem"}
    assert place.tables.snapshot() == before


def test_many_rows_are_swept_in_one_pass(place: Place) -> None:
    kept = place.subscribed(40, TOPIC)
    lost = place.subscribed(90, "order:o2")
    for connection_id in lost:
        place.tables.connections.delete(connection_id)
    sweep()
    assert {row["connectionId"] for row in place.tables.subscriptions.rows()} == set(kept)


# --- Time -----------------------------------------------------------------------------------------


def test_it_goes_on_where_its_time_ran_out(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.connection("driver")
    place.subscribe("Gone1234=", TOPIC)
    pages: list[tuple[bool, int]] = []
    original = janitor._page

    def page(state: progress.Progress) -> progress.Progress:
        pages.append((state.counting, state.segment))
        if len(pages) == 3:
            monkeypatch.setattr(janitor, "monotonic", lambda: 1e12)
        return original(state)

    monkeypatch.setattr(janitor, "_page", page)
    sweep()
    assert pages == [(True, 0), (True, 1), (True, 2)]
    monkeypatch.setattr(janitor, "monotonic", time.monotonic)
    sweep()
    assert pages[3:] == [(True, 3), (False, 0), (False, 1), (False, 2), (False, 3)]
    assert ids(place) == set()


def test_its_own_note_is_in_no_topic_and_goes_when_the_pass_is_complete(place: Place) -> None:
    sweep(remaining_ms=0)
    (note,) = place.tables.subscriptions.rows()
    assert "topic" not in note
    assert "connectionId" not in note
    assert note["ttl"] > time.time()
    sweep()
    assert ids(place) == set()


def test_a_note_of_long_ago_is_not_believed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "ROW_SECONDS", -1)
    progress.save(progress.Progress(counting=False, segment=3))
    assert progress.load() is None


def test_it_reads_no_faster_than_it_may(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(janitor, "sleep", pauses.append)
    monkeypatch.setattr(janitor, "READ_UNITS_PER_SECOND", 1e-6)
    place.subscribe(place.connection(), TOPIC)
    sweep()
    assert max(pauses) > 1000


# --- Gauges ---------------------------------------------------------------------------------------


def gauges(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {
        line["entityType"]: line["ActiveConnections"]
        for line in lines
        if "ActiveConnections" in line
    }


def test_living_registered_connections_are_counted_by_entity_type(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    for entity_type, number in (("merchant", 3), ("customer", 2)):
        for _ in range(number):
            place.connection(entity_type)
    place.connection("merchant", registeredBy=None)
    place.connection("merchant", ttl=int(time.time()) - 1)
    sweep()
    assert gauges(capsys) == {"merchant": 3, "customer": 2, "driver": 0}


def test_a_pass_that_is_not_complete_publishes_no_gauge(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.connection("merchant")
    sweep(remaining_ms=0)
    assert gauges(capsys) == {}
    sweep()
    assert gauges(capsys)["merchant"] == 1


# --- Events that may have been lost ---------------------------------------------------------------


def untold(place: Place, age: float) -> None:
    place.tables.subscriptions.put(
        {
            "subscriptionId": status_topic("b1"),
            "topic": status_topic("b1"),
            "businessId": "b1",
            "isActive": True,
            "version": 3,
            "changedVersion": 3,
            "changedAt": int(time.time() - age),
            "untoldSince": int(time.time() - age),
            "createdAt": iso(time.time()),
        }
    )


def test_a_change_that_nobody_may_have_been_told_of_is_queued_again_until_told(
    place: Place,
) -> None:
    untold(place, age=outbox.OVERDUE_SECONDS + 1)
    customer = place.connection()
    place.subscribe(customer, status_topic("b1"))
    sweep()
    (message,) = place.queue.peek()
    job = jobs.decode(message)
    assert isinstance(job, Broadcast)
    assert job.event.id == "b1-v3"
    place.queue.drain(fanout.handler)
    assert [message["version"] for message in place.delivered(customer)] == [3]
    sweep()
    assert place.queue.peek() == []


def test_a_change_of_just_now_is_left_to_whoever_made_it(place: Place) -> None:
    untold(place, age=1)
    sweep()
    assert place.queue.peek() == []


def test_the_handler_has_the_time_that_a_pass_keeps_free() -> None:
    assert JANITOR.timeout > 2 * janitor.RESERVE_SECONDS
