"""The worker of the fan-out queue: runs jobs, and gives back those that could not be finished."""

from collections.abc import Mapping
from time import monotonic
from typing import Any, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from lambdas import delivery, jobs, observability, removal, snapshot
from lambdas.batches import LeftOverError
from lambdas.broadcasting import broadcast
from lambdas.catalogue import Metric
from lambdas.jobs import Broadcast, Direct, Job, NotQueuedError, Removal, Snapshot
from lambdas.observability import Context, correlated, failure, invocation, log

FAULTS: Final = (ClientError, BotoCoreError, LeftOverError, NotQueuedError)
"""What passes by itself: the message goes back to the queue, and in the end to the dead letters."""


def handler(event: Mapping[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Run the jobs of one batch; those that failed come again, the others do not."""
    deadline = delivery.deadline(context)
    with invocation(context):
        if monotonic() >= deadline:
            # Handing on would go round for ever; as a failure it ends where somebody looks at it.
            log("no time to deliver anything in", level="ERROR")
            failed = event["Records"]
        else:
            failed = [record for record in event["Records"] if not _succeeds(record, deadline)]
    return {"batchItemFailures": [{"itemIdentifier": one["messageId"]} for one in failed]}


def _succeeds(record: Mapping[str, Any], deadline: float) -> bool:
    try:
        job = jobs.decode(record["body"])
    except msgspec.DecodeError as error:
        log("unreadable job", level="ERROR", **failure(error))
        observability.metrics({Metric.POISON: 1})
        return False
    with correlated(job.correlation_id):
        try:
            run(job, deadline)
        except FAULTS as error:
            log("job failed", level="ERROR", **failure(error))
            return False
    return True


def run(job: Job, deadline: float) -> None:
    """Run one job. Raises FAULTS where it has to be run again."""
    match job:
        case Broadcast():
            broadcast(job, deadline=deadline)
        case Direct():
            delivery.deliver(job, deadline=deadline)
        case Snapshot():
            snapshot.send(job, deadline=deadline)
        case Removal():
            removal.remove(job.gone)
