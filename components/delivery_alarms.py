"""The alarms on what the Lambdas measure themselves: the part that users feel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.alarms import Alarm, Measure, total
from lambdas.catalogue import ANY_DIMENSION, METRICS_NAMESPACE, Metric

EVENT_AGE_LIMIT: Final = 10_000
"""Milliseconds from an event's source to its delivery that we promise for 99 of 100."""
FAULTS_LIMIT: Final = 5
"""Messages a minute that may fail on our side: a call of AWS's fails now and then, and clients send
again."""
DELIVERIES: Final = (
    ("NEW_ORDER", ("merchant",)),
    ("ORDER_UPDATE", ("merchant", "customer", "driver")),
    ("ORDER_MESSAGE", ("merchant", "customer", "driver")),
    ("MERCHANT_STATUS_CHANGE", ("merchant", "customer", "driver")),
)
"""Event type -> who may receive it. Ten pairs: an alarm takes no more metrics than ten."""
AGED: Final = (
    ("NEW_ORDER", "merchant"),
    ("ORDER_UPDATE", "customer"),
    ("MERCHANT_STATUS_CHANGE", "customer"),
)
"""The deliveries that somebody waits for."""


def delivery_alarms(stage: str) -> Iterator[Alarm]:
    """Late, failed and unreadable events of a stage."""

    def measure(metric: Metric, statistic: str, event_type: str, entity_type: str) -> Measure:
        return Measure(
            namespace=METRICS_NAMESPACE,
            name=metric,
            statistic=statistic,
            dimensions={"stage": stage, "entityType": entity_type, "eventType": event_type},
        )

    for event_type, entity_type in AGED:
        yield Alarm(
            name=f"event-age-{event_type.lower().replace('_', '-')}",
            meaning=f"{event_type} reaches one {entity_type} in a hundred more than "
            f"{EVENT_AGE_LIMIT // 1_000} s late",
            measures=(measure(Metric.EVENT_AGE, "p99", event_type, entity_type),),
            threshold=EVENT_AGE_LIMIT,
        )
    pairs = [(event_type, to) for event_type, receivers in DELIVERIES for to in receivers]
    yield Alarm(
        name="delivery-failures",
        meaning="events are given up for recipients who are connected",
        measures=tuple(measure(Metric.FAILED, "Sum", *pair) for pair in pairs),
        expression=total(len(pairs)),
        threshold=0,
        points=2,
    )
    yield Alarm(
        name="message-faults",
        meaning=f"more than {FAULTS_LIMIT} messages a minute fail on our side",
        measures=(measure(Metric.FAULTS, "Sum", ANY_DIMENSION, ANY_DIMENSION),),
        threshold=FAULTS_LIMIT,
        points=2,
    )
    yield Alarm(
        name="poison-records",
        meaning="a stream record or queue message cannot be read",
        measures=(measure(Metric.POISON, "Sum", ANY_DIMENSION, ANY_DIMENSION),),
        threshold=0,
        points=1,
        of=1,
    )
