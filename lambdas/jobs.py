"""What the fan-out queue carries: who is to get which event, as one JSON object per queue message.

enqueue(
    Broadcast(
        topic="merchant_status_b1",
        event=Event(
            id="b1-v7",
            type="MERCHANT_STATUS_CHANGE",
            occurred_at=1_767_225_600_000,
            bodies={ANYONE: Raw(encode(change))},
        ),
        audience=Anyone(),
        correlation_id=extended_request_id,
    )
)
"""

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from lambdas import clients
from lambdas.catalogue import Env

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MESSAGE_LIMIT: Final = 262_144
"""Bytes of one SQS message, and of one batch of them: the lowest quota that SQS ever had."""

BATCH_LIMIT: Final = 10
"""Entries of one SendMessageBatch."""

SEND_ATTEMPTS: Final = 3

ANYONE: Final = "anyone"
"""Key of the body for every entity type that has no body of its own."""


class Anyone(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag="anyone"):
    """The event is public: whoever holds a live subscription to the topic gets it."""


class Merchant(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag="merchant"):
    """Only connections that were registered by a merchant of this business."""

    business_id: str


class Parties(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag="parties"):
    """Only who is a party of the order when it is delivered, not when it was queued."""

    order_id: str
    customer_id: str | None = None
    driver_id: str | None = None
    business_id: str | None = None


Audience = Anyone | Merchant | Parties


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is delivered, already encoded, and what the worker needs to choose and to count."""

    id: str
    """The event id that stands in the body too; the same event always carries the same one."""
    type: str
    """The event's name, as `NEW_ORDER`; a dimension of the metrics."""
    occurred_at: int
    """When it happened at its source, in ms since the epoch; its age counts from here."""
    bodies: dict[str, Raw]
    """The JSON text for each entity type, or for `ANYONE`; one without a text gets nothing."""
    status: str | None = None
    """Status of the order that it tells of; a subscription's filter looks at it."""
    source: str | None = None
    """Entity type that it comes from, where that is known; a subscription's filter looks at it."""

    def body_for(self, entity_type: str | None) -> bytes | None:
        """The text for a recipient of this entity type; None where the event is not for it."""
        body = self.bodies.get(entity_type) if entity_type is not None else None
        if body is None:
            body = self.bodies.get(ANYONE)
        return None if body is None else bytes(body)


class Note(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to be noted when everyone has been told of a change of a business: see `outbox`."""

    business_id: str
    version: int


class Broadcast(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag="broadcast"):
    """An event to everyone in the audience who subscribed to the topic, however many they are."""

    topic: str
    event: Event
    audience: Audience
    correlation_id: str
    told: Note | None = None
    """To be noted once the whole audience is served, or safe in the queue."""
    start_key: dict[str, str] | None = None
    """Where the topic index is read on from; the worker sets it when it hands the rest on."""


class Direct(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag="direct"):
    """An event to these connections: a share of a large audience, or who is to be tried again."""

    connection_ids: tuple[str, ...]
    event: Event
    audience: Audience
    correlation_id: str
    topic: str | None = None
    """The topic that they subscribed to, where that is how they were found."""
    foreign: dict[str, str] = {}
    """Connection id -> id of its subscription, where another app chose that id."""
    attempt: int = 1
    """How often these connections have been tried, this time included."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag="snapshot"):
    """The pending orders of a business to one connection that has just subscribed to its orders."""

    connection_id: str
    business_id: str
    correlation_id: str
    """Of the subscription; the same snapshot asked for again is another one."""
    skip: int = 0
    """How many orders were sent; the worker sets it when it hands the rest on."""


class Removal(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag="removal"):
    """The rows of connections that turned out to be gone are to be removed: see `removal`."""

    gone: dict[str, str | None]
    """Connection id -> id of the subscription that led to it, if any."""
    correlation_id: str


Job = Broadcast | Direct | Snapshot | Removal


class JobTooLargeError(Exception):
    """A job does not fit into a queue message; nothing was queued."""

    def __init__(self, size: int) -> None:
        super().__init__(f"a job of {size} bytes is over the queue's {MESSAGE_LIMIT}")
        self.size = size


class NotQueuedError(Exception):
    """The queue refused jobs, also after retries; `jobs` are those that it does not hold."""

    def __init__(self, jobs: Sequence[Job], code: str) -> None:
        super().__init__(f"{len(jobs)} jobs were not queued: {code}")
        self.jobs = tuple(jobs)
        self.code = code


_encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[Job] = msgspec.json.Decoder(Job)


def encode(job: Job) -> str:
    """The queue message of a job. Raises JobTooLargeError."""
    text = _encode(job)
    if len(text) > MESSAGE_LIMIT:
        raise JobTooLargeError(len(text))
    return text.decode()


def decode(text: str) -> Job:
    """The job in a queue message. Raises msgspec.DecodeError where it is none."""
    return _decoder.decode(text)


def enqueue(job: Job, *, delay: int = 0) -> None:
    """Queue one job, to be seen by a worker after `delay` seconds at the earliest (at most 900).

    Raises JobTooLargeError before any call, and botocore's ClientError where SQS refuses.
    """
    clients.sqs().send_message(
        QueueUrl=os.environ[Env.FANOUT_QUEUE_URL], MessageBody=encode(job), DelaySeconds=delay
    )


def enqueue_all(jobs: Iterable[Job], *, delay: int = 0) -> None:
    """Queue many jobs in as few calls as the limits of SQS allow.

    Raises JobTooLargeError before any call, and NotQueuedError with what SQS does not hold.
    """
    for batch in _batches([(job, encode(job)) for job in jobs]):
        _send(batch, delay)


def _batches(texts: Sequence[tuple[Job, str]]) -> Iterable[list[tuple[Job, str]]]:
    batch: list[tuple[Job, str]] = []
    size = 0
    for job, text in texts:
        length = len(text.encode())
        if batch and (len(batch) == BATCH_LIMIT or size + length > MESSAGE_LIMIT):
            yield batch
            batch, size = [], 0
        batch.append((job, text))
        size += length
    if batch:
        yield batch


def _send(batch: list[tuple[Job, str]], delay: int) -> None:
    code = ""
    for _ in range(SEND_ATTEMPTS):
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(position), "MessageBody": text, "DelaySeconds": delay}
            for position, (_, text) in enumerate(batch)
        ]
        answer = clients.sqs().send_message_batch(
            QueueUrl=os.environ[Env.FANOUT_QUEUE_URL], Entries=entries
        )
        # Part of a batch can fail on its own, with a status of 200 for the call.
        failed = answer.get("Failed", [])
        if not failed:
            return
        code = failed[0]["Code"]
        batch = [batch[int(entry["Id"])] for entry in failed]
    raise NotQueuedError([job for job, _ in batch], code)
