"""The fan-out queue, its dead-letter queue, and what feeds the Lambdas that no route calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from lambdas import catalogue

VISIBILITY_TIMEOUT: Final = 6 * catalogue.FANOUT.timeout
"""Seconds; six times the worker's, as Lambda asks of a queue that feeds it."""
MAX_RECEIVE_COUNT: Final = 5
EVENT_LIFE: Final = 3_600
"""Seconds; an event that could not be delivered for an hour is news to nobody."""
DEAD_LETTER_LIFE: Final = 14 * 86_400
"""Seconds; the longest that SQS keeps a message."""


@dataclass(frozen=True, kw_only=True)
class FanoutParts:
    """The queues."""

    events: aws.sqs.Queue
    dead_letters: aws.sqs.Queue


def create_queues(name: str, *, stack: str, parent: pulumi.Resource) -> FanoutParts:
    """The queue of events to deliver, and where they go that could not be."""
    dead_letters = aws.sqs.Queue(
        f"{name}-dead-letters",
        name=f"order-receiver-{stack}-dead-letters",
        message_retention_seconds=DEAD_LETTER_LIFE,
        sqs_managed_sse_enabled=True,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    events = aws.sqs.Queue(
        f"{name}-fanout",
        name=f"order-receiver-{stack}-fanout",
        visibility_timeout_seconds=VISIBILITY_TIMEOUT,
        message_retention_seconds=EVENT_LIFE,
        sqs_managed_sse_enabled=True,
        redrive_policy=pulumi.Output.json_dumps(
            {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": MAX_RECEIVE_COUNT}
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return FanoutParts(events=events, dead_letters=dead_letters)
