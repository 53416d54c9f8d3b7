"""The jobs of the queue: their text, their limits, and how they get into SQS."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from lambdas import clients, jobs
from lambdas.jobs import (
    ANYONE,
    MESSAGE_LIMIT,
    Anyone,
    Direct,
    Event,
    Job,
    JobTooLargeError,
    Merchant,
    Note,
    NotQueuedError,
    Parties,
    Removal,
    Snapshot,
)
from tests.lambdas.delivery.conftest import Place, broadcast


def direct(number: int, body: bytes = b"{}") -> Direct:
    event = Event(id=f"e{number}", type="T", occurred_at=0, bodies={ANYONE: Raw(body)})
    return Direct(
        connection_ids=(f"c{number}",), event=event, audience=Anyone(), correlation_id="x"
    )


@pytest.mark.parametrize(
    "job",
    [
        broadcast("t", Merchant(business_id="b1")),
        broadcast("t", Parties(order_id="o1", driver_id="d1")),
        msgspec.structs.replace(
            broadcast("t"), start_key={"topic": "t"}, told=Note(business_id="b1", version=3)
        ),
        direct(1),
        msgspec.structs.replace(direct(1), topic="t", foreign={"c1": "other"}, attempt=3),
        Snapshot(connection_id="c1", business_id="b1", correlation_id="x", skip=4),
        Removal(gone={"c1": "s1", "c2": None}, correlation_id="x"),
    ],
)
def test_a_job_is_the_same_after_the_queue(job: Job) -> None:
    assert jobs.decode(jobs.encode(job)) == job


def test_a_body_goes_through_the_queue_byte_for_byte() -> None:
    body = '{"b":1.50,"a":"كرادة","u":"\\u00e9"}'.encode()
    job = jobs.decode(jobs.encode(direct(1, body)))
    assert isinstance(job, Direct)
    assert job.event.body_for(None) == body


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"type":"x"}', '{"type":"snapshot"}'])
def test_what_is_no_job_is_said_to_be_none(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        jobs.decode(text)


def test_an_entity_type_gets_its_own_words_before_those_for_anyone() -> None:
    bodies = {"driver": Raw(b"1"), ANYONE: Raw(b"2")}
    event = Event(id="e", type="T", occurred_at=0, bodies=bodies)
    assert [event.body_for(one) for one in ("driver", "customer", None)] == [b"1", b"2", b"2"]
    assert Event(id="e", type="T", occurred_at=0, bodies={}).body_for("driver") is None


def received(place: Place) -> list[str]:
    return sorted(place.queue.peek())


def test_many_jobs_are_queued_in_few_calls(place: Place) -> None:
    many = [direct(number) for number in range(23)]
    sent: list[Any] = []
    client = clients.sqs()
    client.meta.events.register("before-call.sqs.SendMessageBatch", lambda **_: sent.append(1))
    jobs.enqueue_all(many)
    assert len(sent) == 3
    assert received(place) == sorted(jobs.encode(job) for job in many)


def test_large_jobs_are_spread_over_calls(place: Place) -> None:
    large = [direct(number, b'"' + b"x" * 100_000 + b'"') for number in range(5)]
    jobs.enqueue_all(large)
    assert received(place) == sorted(jobs.encode(job) for job in large)


def test_nothing_is_queued_when_one_job_is_too_large(place: Place) -> None:
    with pytest.raises(JobTooLargeError) as caught:
        jobs.enqueue_all([direct(1), direct(2, b'"' + b"x" * MESSAGE_LIMIT + b'"')])
    assert caught.value.size > MESSAGE_LIMIT
    assert received(place) == []


def test_no_job_is_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FANOUT_QUEUE_URL", raising=False)
    jobs.enqueue_all([])


class Refusing:
    """SQS that fails some entries of a batch, though the call itself goes well."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.held: list[str] = []

    def send_message_batch(self, **call: Any) -> dict[str, Any]:
        failed = []
        for entry in call["Entries"]:
            if entry["MessageBody"].find('"c1"') > 0 and self.failures:
                self.failures -= 1
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            else:
                self.held.append(entry["MessageBody"])
        return {"Successful": [], "Failed": failed}


def refusing(monkeypatch: pytest.MonkeyPatch, failures: int) -> Refusing:
    sqs = Refusing(failures)
    monkeypatch.setenv("FANOUT_QUEUE_URL", "https://queue")
    monkeypatch.setattr(clients, "sqs", lambda: sqs)
    return sqs


def test_only_the_part_of_a_batch_that_failed_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sqs = refusing(monkeypatch, failures=2)
    jobs.enqueue_all([direct(0), direct(1), direct(2)])
    assert sorted(sqs.held) == sorted(jobs.encode(direct(number)) for number in range(3))


def test_what_the_queue_does_not_take_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, failures=99)
    with pytest.raises(NotQueuedError) as caught:
        jobs.enqueue_all([direct(0), direct(1), direct(2)])
    assert caught.value.jobs == (direct(1),)
    assert caught.value.code == "InternalError"


def test_a_delayed_job_is_not_seen_at_once(place: Place) -> None:
    jobs.enqueue(direct(1), delay=900)
    assert received(place) == []
