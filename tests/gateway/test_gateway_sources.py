"""The stream and the queue hand out their records as Lambda's event sources do."""

from typing import Any

from lambdas.catalogue import FANOUT_MAX_RECEIVES
from sandbox.cloud import Cloud
from tests.gateway.clock import VirtualClock
from tests.gateway.queues import Queue
from tests.gateway.streams import Stream
from tests.gateway.tables import Table, Tables


class Consumer:
    """Takes order ids; those in `poison` fail, by report or by an exception."""

    def __init__(self, *poison: str, raises: bool = False) -> None:
        self.poison = set(poison)
        self.raises = raises
        self.taken: list[str] = []
        self.batches: list[list[str]] = []

    def __call__(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        ids = [r["dynamodb"]["Keys"]["orderId"]["S"] for r in event["Records"]]
        self.batches.append(ids)
        if self.raises and self.poison & set(ids):
            raise RuntimeError("poison")
        for record, order_id in zip(event["Records"], ids, strict=True):
            if order_id in self.poison:
                number = record["dynamodb"]["SequenceNumber"]
                return {"batchItemFailures": [{"itemIdentifier": number}]}
            self.taken.append(order_id)
        return {"batchItemFailures": []}


def stream_of(*order_ids: str, **settings: Any) -> Stream:
    table = Table(client=None, name="orders", key="orderId")
    stream = Stream(table=table, clock=VirtualClock(), **settings)
    stream.waiting = [stream.record("INSERT", new={"orderId": o}, old=None) for o in order_ids]
    return stream


def dead(stream: Stream) -> list[str]:
    return [record["dynamodb"]["Keys"]["orderId"]["S"] for record in stream.dead_letters]


def test_a_reported_failure_is_retried_from_there_and_then_given_up_alone() -> None:
    stream, consumer = stream_of("a", "b", "c", "d"), Consumer("b")
    stream.drain(consumer)
    assert consumer.taken == ["a", "c", "d"]
    assert dead(stream) == ["b"]


def test_without_bisection_a_poison_record_takes_what_follows_with_it() -> None:
    stream, consumer = stream_of("a", "b", "c", bisect=False), Consumer("b")
    stream.drain(consumer)
    assert consumer.taken == ["a"]
    assert dead(stream) == ["b", "c"]


def test_an_exception_fails_the_whole_batch_which_is_halved() -> None:
    stream, consumer = stream_of("a", "b", "c", "d"), Consumer("c", raises=True)
    stream.drain(consumer)
    assert sorted(consumer.taken) == ["a", "b", "d"]
    assert dead(stream) == ["c"]
    assert consumer.batches[0] == ["a", "b", "c", "d"]


def test_an_identifier_that_is_not_in_the_batch_fails_all_of_it() -> None:
    stream = stream_of("a", max_retries=1)
    stream.drain(lambda _e, _c: {"batchItemFailures": [{"itemIdentifier": None}]})
    assert dead(stream) == ["a"]
    assert stream.invocations == 2


def test_a_write_to_the_table_makes_a_record_with_both_images(cloud: Cloud) -> None:
    tables = Tables.create(cloud)
    stream = Stream(table=tables.orders, clock=VirtualClock())
    stream.put({"orderId": "o1", "status": "pending", "totalAmount": 12.5})
    stream.update("o1", status="confirmed")
    stream.remove("o1")
    inserted, modified, removed = stream.waiting
    assert [r["eventName"] for r in stream.waiting] == ["INSERT", "MODIFY", "REMOVE"]
    assert "OldImage" not in inserted["dynamodb"]
    assert modified["dynamodb"]["OldImage"]["status"] == {"S": "pending"}
    assert modified["dynamodb"]["NewImage"]["totalAmount"] == {"N": "12.5"}
    assert "NewImage" not in removed["dynamodb"]
    tables.drop()


def test_the_queue_retries_what_failed_and_gives_up_to_the_dead_letters(cloud: Cloud) -> None:
    queue = Queue.create(cloud)
    for body in ("good", "poison"):
        queue.client.send_message(QueueUrl=queue.url, MessageBody=body)
    taken: list[str] = []

    def worker(event: dict[str, Any], _context: object) -> dict[str, Any]:
        taken.extend(record["body"] for record in event["Records"])
        failed = [r["messageId"] for r in event["Records"] if r["body"] == "poison"]
        return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in failed]}

    queue.drain(worker)
    assert (taken.count("good"), taken.count("poison")) == (1, FANOUT_MAX_RECEIVES)
    assert queue.dead_letters() == ["poison"]
    queue.drop()
