"""Delivers an event to everyone who subscribed to a topic, however many they are.

The audience is cut into shares as its topic is read. Who reads delivers the first share itself and
queues the others, where each finds a worker of its own; when its time runs out, it queues the place
where reading goes on. So an audience is cut once, and a share that is repeated names the same
connections.
"""

import os
from time import monotonic

from msgspec.structs import replace

from lambdas import delivery, jobs, outbox, subscribers
from lambdas.audience import Admission, cut
from lambdas.catalogue import Env
from lambdas.configuration import Table
from lambdas.jobs import Broadcast, Direct


def broadcast(job: Broadcast, *, deadline: float, admission: Admission | None = None) -> None:
    """Run the job, all of it or up to where the next message goes on.

    `admission` is passed where the audience was just read. Raises what `delivery.deliver` raises:
    then the job has to be run again.
    """
    if admission is None:
        admission = subscribers.admission(job.audience)
    # Half of the time is for reading: what was read has to be delivered, too.
    reading_ends = (monotonic() + deadline) / 2
    own: Direct | None = None
    seen: set[str] = set()
    start_key = job.start_key
    while True:
        page = subscribers.page(job.topic, start_key)
        shares = list(cut(job, page.subscriptions, seen))
        if own is None and shares:
            own = shares.pop(0)
        jobs.enqueue_all(shares)
        start_key = page.next_key
        if start_key is None:
            break
        if monotonic() >= reading_ends:
            jobs.enqueue(replace(job, start_key=start_key))
            break
    if own is not None:
        delivery.deliver(own, deadline=deadline, admission=admission)
    if job.told is not None and start_key is None:
        table = Table(name=os.environ[Env.SUBSCRIPTIONS_TABLE], key="subscriptionId")
        outbox.told(table, job.told.business_id, job.told.version)
