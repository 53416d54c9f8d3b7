"""A delivery to 1,000 connections of which 30 % are gone, beside one where all are there.

Tables and queue are the sandbox cloud's; the endpoint answers after 20 ms, on another core. What
gone connections cost beside the delivery, the removal of their rows, is shown as well.
"""

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, perf_counter, time

from msgspec import Raw

from bench.management_stub import Answer, always_ok, in_process, thirty_percent_gone
from bench.ratio import Goal, Ratio
from lambdas.catalogue import Env
from lambdas.rows import OURS, iso, subscription_id
from sandbox import cloud as sandbox_cloud
from tests.gateway.queues import Queue
from tests.gateway.tables import Tables

NUMBER = 1000
TOPIC = "merchant_status_bench"
ROUNDS = 5


def run() -> list[Ratio]:
    cores = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as home:
        cloud = sandbox_cloud.start(Path(home), tied=True)
        try:
            os.environ.update(cloud.environment())
            tables, queue = Tables.create(cloud), Queue.create(cloud)
            os.environ.update(
                {
                    Env.CONNECTIONS_TABLE: tables.connections.name,
                    Env.SUBSCRIPTIONS_TABLE: tables.subscriptions.name,
                    Env.FANOUT_QUEUE_URL: queue.url,
                }
            )
            with _only_on(min(cores), cores):
                alive, alive_in_all = _best(tables, queue, always_ok, max(cores))
                stale, stale_in_all = _best(tables, queue, thirty_percent_gone, max(cores))
        finally:
            cloud.stop()
    return [
        Ratio(
            what="delivery, 30 % gone",
            ours=stale * 1000,
            peer=alive * 1000,
            unit="ms",
            against="nobody gone",
            goal=Goal.AT_MOST,
            bound=1.5,
        ),
        Ratio(
            what="the same with the queue drained and the rows removed",
            ours=stale_in_all * 1000,
            peer=alive_in_all * 1000,
            unit="ms",
            against="nobody gone",
        ),
    ]


@contextlib.contextmanager
def _only_on(core: int, cores: set[int]) -> Iterator[None]:
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _best(tables: Tables, queue: Queue, answer: Answer, core: int) -> tuple[float, float]:
    """Seconds of the quickest of some deliveries, without and with what they left in the queue."""
    from lambdas import delivery, fanout
    from lambdas.jobs import ANYONE, Anyone, Direct, Event

    times: list[float] = []
    totals: list[float] = []
    with (
        in_process(0.02, core=core, answer=answer) as endpoint,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        os.environ[Env.ENDPOINT] = endpoint
        for number in range(ROUNDS):
            ids = _subscribe(tables, number)
            job = Direct(
                connection_ids=tuple(ids),
                event=Event(
                    id=f"{endpoint}{number}",
                    type="BENCH",
                    occurred_at=int(time() * 1000),
                    bodies={ANYONE: Raw(b'"' + b"x" * 600 + b'"')},
                ),
                audience=Anyone(),
                correlation_id="bench",
                topic=TOPIC,
            )
            began = perf_counter()
            went = delivery.deliver(job, deadline=monotonic() + 60)
            times.append(perf_counter() - began)
            assert went.delivered + went.stale == NUMBER
            queue.drain(fanout.handler)
            totals.append(perf_counter() - began)
    return min(times), min(totals)


def _subscribe(tables: Tables, number: int) -> list[str]:
    now = time()
    ids = [f"R0oX{number}d{one:06d}=" for one in range(NUMBER)]
    common = {"ttl": int(now) + 3600, "userId": "u", "entityType": "customer"}
    tables.connections.put_all(
        {
            **common,
            "connectionId": one,
            "connectedAt": iso(now),
            "registeredBy": OURS,
            "subscribedTopics": {TOPIC},
        }
        for one in ids
    )
    tables.subscriptions.put_all(
        {
            **common,
            "subscriptionId": subscription_id(one, TOPIC),
            "connectionId": one,
            "topic": TOPIC,
            "createdAt": iso(now),
            "writtenBy": OURS,
        }
        for one in ids
    )
    return ids
