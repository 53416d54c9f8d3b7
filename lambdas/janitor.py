"""The scheduled sweep: removes rows of ours that outlived their connection, and counts the living.

It also queues anew what `outbox` says that nobody may have been told of.
Nothing else reads whole tables, and no message ever waits for it. It scans in segments, reads only
the attributes that it needs, spends no more than READ_UNITS_PER_SECOND and stops before its time is
up; the next run goes on where this one stopped. Rows that another app wrote are left alone.
"""

import os
from collections.abc import Mapping, Sequence
from time import monotonic, sleep, time
from typing import TYPE_CHECKING, Any, Final

from lambdas import batches, clients, jobs, outbox, progress
from lambdas.audience import is_over
from lambdas.catalogue import Env, Metric
from lambdas.items import plain
from lambdas.messages import EntityType
from lambdas.observability import Context, invocation, log, metrics
from lambdas.progress import SEGMENTS, Progress
from lambdas.rows import OURS, Identity, Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import ScanInputTypeDef

READ_UNITS_PER_SECOND: Final = 250
"""Of each table, so that a sweep never takes the capacity that messages need. A partition gives
3,000 a second."""

RESERVE_SECONDS: Final = 15
"""Kept free at the end: one page may still have to be worked off, and the place written down."""

_CONNECTION: Final = ("connectionId", "connectedAt", "ttl", "userId", "entityType", "registeredBy")
_SUBSCRIPTION: Final = (
    "subscriptionId",
    "connectionId",
    "createdAt",
    "ttl",
    "businessId",
    "isActive",
    "changedVersion",
    "changedAt",
    "untoldSince",
)


def handler(_event: Mapping[str, Any], context: Context) -> None:
    """Sweep for as long as there is time."""
    deadline = monotonic() + context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS
    with invocation(context):
        began = monotonic()
        stored = progress.load()
        state = stored or Progress()
        while not state.is_complete and monotonic() < deadline:
            state = _page(state)
        if state.is_complete:
            _publish(state)
            if stored is not None:
                progress.clear()
        else:
            progress.save(state)
        log(
            "swept",
            removed=state.removed,
            duration_ms=round((monotonic() - began) * 1000),
            outcome="complete" if state.is_complete else "goes on",
        )


def _page(state: Progress) -> Progress:
    """Work off one page of the table and segment that the sweep has come to."""
    began = monotonic()
    request: ScanInputTypeDef = {
        "TableName": os.environ[
            Env.CONNECTIONS_TABLE if state.counting else Env.SUBSCRIPTIONS_TABLE
        ],
        "Segment": state.segment,
        "TotalSegments": SEGMENTS,
        "ReturnConsumedCapacity": "TOTAL",
        "FilterExpression": "registeredBy = :ours"
        if state.counting
        else "attribute_exists(untoldSince) OR"
        " (writtenBy = :ours AND attribute_exists(connectionId))",
        "ExpressionAttributeValues": {":ours": {"S": OURS}},
    }
    names = {
        f"#{position}": name
        for position, name in enumerate(_CONNECTION if state.counting else _SUBSCRIPTION)
    }
    request["ProjectionExpression"] = ", ".join(names)
    request["ExpressionAttributeNames"] = names
    if state.start is not None:
        key = "connectionId" if state.counting else "subscriptionId"
        request["ExclusiveStartKey"] = {key: {"S": state.start}}
    answer = clients.dynamodb().scan(**request)
    rows = [plain(item) for item in answer["Items"]]
    state = _counted(state, rows) if state.counting else _swept(state, rows)
    units = answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0)
    sleep(max(0.0, units / READ_UNITS_PER_SECOND - (monotonic() - began)))
    last = answer.get("LastEvaluatedKey")
    return state.after(None if last is None else str(next(iter(plain(last).values()))))


def _counted(state: Progress, rows: Sequence[Row]) -> Progress:
    now = time()
    counts = dict(state.counts)
    for row in rows:
        identity = Identity.of(row)
        if identity is not None and not is_over(row, now, born="connectedAt"):
            counts[identity.entity_type] = counts.get(identity.entity_type, 0) + 1
    return state.with_counts(counts)


def _swept(state: Progress, rows: Sequence[Row]) -> Progress:
    now = time()
    for row in rows:
        change = outbox.overdue(row, now)
        if change is not None:
            jobs.enqueue(outbox.broadcast(change, change.business_id))
    rows = [row for row in rows if "connectionId" in row]
    ids = {str(row["connectionId"]) for row in rows if not is_over(row, now, born="createdAt")}
    table = os.environ[Env.CONNECTIONS_TABLE]
    found = batches.get(table, "connectionId", ids, ("connectedAt", "ttl"))
    living = {one for one, row in found.items() if not is_over(row, now, born="connectedAt")}
    doomed = [
        str(row["subscriptionId"])
        for row in rows
        if row["connectionId"] not in living or is_over(row, now, born="createdAt")
    ]
    batches.delete(os.environ[Env.SUBSCRIPTIONS_TABLE], "subscriptionId", doomed)
    return state.with_removed(state.removed + len(doomed))


def _publish(state: Progress) -> None:
    for entity_type in EntityType:
        metrics(
            {Metric.ACTIVE_CONNECTIONS: state.counts.get(entity_type, 0)}, entity_type=entity_type
        )
    metrics({Metric.STALE_ROWS: state.removed})
