"""The alarms on what AWS measures: the shared API, our Lambdas and queues, the tables.

Thresholds of the API are CloudWatch's recommended alarms for API Gateway. `docs/operations.md` has
a line on each: what to do when it goes off.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.alarms import MINUTE, Alarm, Measure, total
from lambdas.catalogue import JANITOR, JANITOR_PERIOD_MINUTES, ORDER_EVENTS, EntryPoint

NEW_CONNECTIONS_PER_SECOND: Final = 500
REQUESTS_PER_SECOND: Final = 10_000
"""Account quotas per Region, shared by everyone on the API (API Gateway quotas)."""
NEAR: Final = 80
"""Percent: how much of a quota or a time-out may be used before somebody should know."""
TABLE_OPERATIONS: Final = (
    "GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem",
    "BatchWriteItem", "TransactGetItems", "TransactWriteItems",
)  # fmt: skip


def api_alarms(api_id: str, stage: str) -> Iterator[Alarm]:
    """What the gateway says of the shared API: everybody's traffic, ours among it."""
    dimensions = {"ApiId": api_id, "Stage": stage}

    def gateway(name: str, statistic: str) -> tuple[Measure, ...]:
        return (
            Measure(
                namespace="AWS/ApiGateway", name=name, statistic=statistic, dimensions=dimensions
            ),
        )

    yield Alarm(
        name="api-client-errors",
        meaning="more than 5 % of messages are refused before they reach a Lambda",
        measures=gateway("ClientError", "Average"),
        threshold=0.05,
        points=5,
        of=5,
    )
    yield Alarm(
        name="api-execution-errors",
        meaning="more than 5 % of messages fail inside the gateway, mostly for a permission",
        measures=gateway("ExecutionError", "Average"),
        threshold=0.05,
    )
    yield Alarm(
        name="api-integration-errors",
        meaning="more than 5 % of messages fail in a Lambda",
        measures=gateway("IntegrationError", "Average"),
        threshold=0.05,
    )
    yield Alarm(
        name="api-integration-latency",
        meaning="one message in a hundred waits more than two seconds for its answer",
        measures=gateway("IntegrationLatency", "p99"),
        threshold=2_000,
        points=5,
        of=5,
    )
    yield Alarm(
        name="api-connect-rate",
        meaning="new connections come near the account's quota of 500 a second",
        measures=gateway("ConnectCount", "Sum"),
        threshold=NEAR * NEW_CONNECTIONS_PER_SECOND * MINUTE / 100,
        points=1,
        of=1,
    )
    yield Alarm(
        name="api-message-rate",
        meaning="messages come near the account's quota of 10,000 requests a second",
        measures=gateway("MessageCount", "Sum"),
        threshold=NEAR * REQUESTS_PER_SECOND * MINUTE / 100,
        points=1,
        of=1,
    )


def function_alarms(
    entry_point: EntryPoint, function: str, reserved: int | None
) -> Iterator[Alarm]:
    """What Lambda says of one function."""
    label = entry_point.name.replace("_", "-")

    def measure(name: str, statistic: str, period: int = MINUTE) -> Measure:
        return Measure(
            namespace="AWS/Lambda",
            name=name,
            statistic=statistic,
            dimensions={"FunctionName": function},
            period=period,
        )

    yield Alarm(
        name=f"{label}-errors",
        meaning=f"more than 5 % of the invocations of {label} fail",
        measures=(measure("Errors", "Sum"), measure("Invocations", "Sum")),
        expression="100 * m0 / MAX([m0, m1])",
        threshold=5,
        points=2,
    )
    yield Alarm(
        name=f"{label}-throttles",
        meaning=f"{label} may not run as often at once as it is called",
        measures=(measure("Throttles", "Sum"),),
        threshold=0,
        points=2,
    )
    yield Alarm(
        name=f"{label}-duration",
        meaning=f"{label} comes near its time-out of {entry_point.timeout} s",
        measures=(measure("Duration", "p99"),),
        threshold=NEAR * entry_point.timeout * 1_000 / 100,
        points=2,
    )
    if reserved:
        yield Alarm(
            name=f"{label}-concurrency",
            meaning=f"{label} comes near its reservation of {reserved} at once",
            measures=(measure("ConcurrentExecutions", "Maximum"),),
            threshold=NEAR * reserved / 100,
            points=2,
        )
    if entry_point == ORDER_EVENTS:
        yield Alarm(
            name=f"{label}-iterator-age",
            meaning="orders are read from their stream more than a minute late",
            measures=(measure("IteratorAge", "Maximum"),),
            threshold=60_000,
        )
    if entry_point == JANITOR:
        yield Alarm(
            name=f"{label}-silent",
            meaning="nobody has swept, nor counted connections, for two periods",
            measures=(measure("Invocations", "Sum", 2 * JANITOR_PERIOD_MINUTES * MINUTE),),
            threshold=1,
            below=True,
            points=1,
            of=1,
            missing="breaching",
        )


def queue_alarms(events: str, dead_letters: str) -> Iterator[Alarm]:
    """What SQS says of our queues, by their names."""
    yield Alarm(
        name="dead-letters",
        meaning="events were given up and wait in the dead-letter queue",
        measures=(
            Measure(
                namespace="AWS/SQS",
                name="ApproximateNumberOfMessagesVisible",
                statistic="Maximum",
                dimensions={"QueueName": dead_letters},
            ),
        ),
        threshold=0,
        points=1,
        of=1,
    )
    yield Alarm(
        name="fanout-backlog",
        meaning="events wait for more than a minute to be delivered",
        measures=(
            Measure(
                namespace="AWS/SQS",
                name="ApproximateAgeOfOldestMessage",
                statistic="Maximum",
                dimensions={"QueueName": events},
            ),
        ),
        threshold=60,
    )


def table_alarms(role: str, table: str) -> Iterator[Alarm]:
    """What DynamoDB says of a table that we share."""
    yield Alarm(
        name=f"{role}-throttles",
        meaning=f"DynamoDB refuses reads or writes of the {role} table for their rate",
        measures=tuple(
            Measure(
                namespace="AWS/DynamoDB",
                name=name,
                statistic="Sum",
                dimensions={"TableName": table},
            )
            for name in ("ReadThrottleEvents", "WriteThrottleEvents")
        ),
        expression="SUM([FILL(m0, 0), FILL(m1, 0)])",
        threshold=0,
        points=2,
    )
    yield Alarm(
        name=f"{role}-system-errors",
        meaning=f"DynamoDB itself fails at requests to the {role} table",
        measures=tuple(
            Measure(
                namespace="AWS/DynamoDB",
                name="SystemErrors",
                statistic="Sum",
                dimensions={"TableName": table, "Operation": operation},
            )
            for operation in TABLE_OPERATIONS
        ),
        expression=total(len(TABLE_OPERATIONS)),
        threshold=0,
        points=2,
    )
