"""Delivers one event to a share of its audience, in parallel, and accounts for every recipient.

Each recipient ends as exactly one of: delivered; stale, and its rows are removed; put back into the
queue alone, because it was throttled or silent; handed on with others, because time ran out; or
failed, after the last try. What is counted as delivered was answered with success before `deliver`
returns.

No connection gets an event id twice from one container within `memory.WINDOW_SECONDS`, except where
a post was not answered and may or may not have arrived. See `memory` for what that leaves open.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic, time
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from msgspec.structs import replace

from lambdas import jobs, removal, subscribers
from lambdas.audience import SHARE, Admission
from lambdas.batches import LeftOverError, shares
from lambdas.catalogue import Metric
from lambdas.jobs import Direct, Event, Removal
from lambdas.management import LONGEST_POST, Outcome, Post, management
from lambdas.memory import Memory
from lambdas.messages import EntityType
from lambdas.observability import Context, failure, log, metrics
from lambdas.rows import subscription_id

RETRY_DELAYS: Final = (0, 2, 15)
"""Seconds in the queue before each further try of a recipient; after the last it has failed."""

REMOVED_AT_ONCE: Final = 25
"""Gone connections whose rows are removed right away: three calls. More are a job of their own."""

RESERVE: Final = LONGEST_POST + 3
"""Seconds kept free at the end of an invocation: for the last posts, then to hand on and to clean
up."""

memory: Final = Memory()
"""What this container has delivered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """A connection that the event is for, and what it is known as."""

    connection_id: str
    entity_type: EntityType | None = None
    """None for a public event, which everyone gets in the same words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """How many recipients ended in which way."""

    delivered: int = 0
    stale: int = 0
    again: int = 0
    handed_on: int = 0
    failed: int = 0


def deadline(context: Context) -> float:
    """When this invocation has to begin its last post, on the clock of `time.monotonic`."""
    return monotonic() + context.get_remaining_time_in_millis() / 1000 - RESERVE


def deliver(job: Direct, *, deadline: float, admission: Admission | None = None) -> Delivery:
    """Deliver the event to those connections of the job that may have it now.

    `admission` is passed where the audience was just read. Raises botocore's errors, LeftOverError
    and jobs.NotQueuedError where not everyone could be accounted for: then the job has to be run
    again, and those who got the event do not get it once more.
    """
    if admission is None:
        admission = subscribers.admission(job.audience)
    return send(job, _addressed(job, admission), deadline=deadline)


def send(job: Direct, recipients: Sequence[Recipient], *, deadline: float) -> Delivery:
    """Deliver the event of the job to recipients whose right to it has just been checked."""
    event = job.event
    posts: list[Post] = []
    entity_types: list[EntityType | None] = []
    for recipient in recipients:
        body = event.body_for(recipient.entity_type)
        if body is not None and (event.id, recipient.connection_id) not in memory:
            posts.append(Post(recipient.connection_id, body))
            entity_types.append(recipient.entity_type)
    begun = monotonic()
    outcomes = management().post_all(posts, deadline=deadline)
    took = (monotonic() - begun) * 1000

    ended: dict[Outcome, list[str]] = {outcome: [] for outcome in Outcome}
    for post, outcome in zip(posts, outcomes, strict=True):
        ended[outcome].append(post.connection_id)
    for connection_id in ended[Outcome.DELIVERED]:
        memory.add(event.id, connection_id)
    last_try = job.attempt > len(RETRY_DELAYS)
    failed = len(ended[Outcome.REFUSED]) + len(ended[Outcome.TOO_LARGE])
    delivery = Delivery(
        delivered=len(ended[Outcome.DELIVERED]),
        stale=len(ended[Outcome.GONE]),
        again=0 if last_try else len(ended[Outcome.BUSY]),
        handed_on=len(ended[Outcome.UNSENT]),
        failed=failed + (len(ended[Outcome.BUSY]) if last_try else 0),
    )
    if delivery.handed_on:
        rest = shares(ended[Outcome.UNSENT], SHARE)
        jobs.enqueue_all(_reduced(job, share, job.attempt) for share in rest)
    if delivery.again:
        retry = _reduced(job, ended[Outcome.BUSY], job.attempt + 1)
        jobs.enqueue(retry, delay=RETRY_DELAYS[job.attempt - 1])
    if ended[Outcome.GONE]:
        _remove(job, ended[Outcome.GONE])
    _report(job, delivery, took, list(zip(entity_types, outcomes, strict=True)), last_try=last_try)
    return delivery


def _addressed(job: Direct, admission: Admission) -> list[Recipient]:
    unique = dict.fromkeys(job.connection_ids)
    if admission.is_public:
        return [Recipient(connection_id=connection_id) for connection_id in unique]
    rows = subscribers.connections(unique)
    now = time()
    admitted = ((one, admission.admits(rows.get(one), now)) for one in unique)
    return [
        Recipient(connection_id=connection_id, entity_type=entity_type)
        for connection_id, entity_type in admitted
        if entity_type is not None
    ]


def _reduced(job: Direct, connection_ids: Sequence[str], attempt: int) -> Direct:
    chosen = set(connection_ids)
    foreign = {one: subscription for one, subscription in job.foreign.items() if one in chosen}
    return replace(job, connection_ids=tuple(connection_ids), foreign=foreign, attempt=attempt)


def _remove(job: Direct, gone: Sequence[str]) -> None:
    found = {
        one: job.foreign.get(one)
        or (subscription_id(one, job.topic) if job.topic is not None else None)
        for one in gone
    }
    if len(found) > REMOVED_AT_ONCE:
        # It would take longer than the posts did, and nobody waits for it.
        jobs.enqueue(Removal(gone=found, correlation_id=job.correlation_id))
        return
    try:
        removal.remove(found)
    except (ClientError, BotoCoreError, LeftOverError) as error:
        # The event was delivered all the same. The janitor comes to the rows that stay.
        log("rows of gone connections stay", level="WARNING", **failure(error))


def _report(
    job: Direct,
    delivery: Delivery,
    took: float,
    ended: Sequence[tuple[EntityType | None, Outcome]],
    *,
    last_try: bool,
) -> None:
    event: Event = job.event
    if not ended:
        log("nobody to deliver to", level="DEBUG", event_id=event.id, event_type=event.type)
        return
    log(
        "delivered",
        event_id=event.id,
        event_type=event.type,
        topic=job.topic,
        attempt=job.attempt,
        recipients=len(ended),
        delivered=delivery.delivered,
        stale=delivery.stale,
        throttled=delivery.again,
        handed_on=delivery.handed_on,
        failed=delivery.failed,
        duration_ms=round(took, 1),
        outcome="failed" if delivery.failed else "ok",
    )
    age = max(0, int(time() * 1000) - event.occurred_at)
    for entity_type in {entity_type for entity_type, _ in ended}:
        count = Counter(outcome for one, outcome in ended if one == entity_type)
        values = {
            # Who is tried again was counted the first time; who is handed on will be.
            Metric.RECIPIENTS: 0 if job.attempt > 1 else count.total() - count[Outcome.UNSENT],
            Metric.DELIVERED: count[Outcome.DELIVERED],
            Metric.STALE: count[Outcome.GONE],
            Metric.THROTTLED: 0 if last_try else count[Outcome.BUSY],
            Metric.FAILED: count[Outcome.REFUSED]
            + count[Outcome.TOO_LARGE]
            + (count[Outcome.BUSY] if last_try else 0),
            Metric.DURATION: took,
        }
        if count[Outcome.DELIVERED]:
            values[Metric.EVENT_AGE] = age
        metrics(values, entity_type=entity_type, event_type=event.type)
