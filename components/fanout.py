"""The fan-out queue, its dead-letter queue, and what feeds the Lambdas that no route calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from lambdas import catalogue

EVENT_LIFE: Final = 3_600
"""Seconds; an event that could not be delivered for an hour is news to nobody."""
DEAD_LETTER_LIFE: Final = 14 * 86_400
"""Seconds; the longest that SQS keeps a message."""
STREAM_BATCH: Final = 100
STREAM_RETRIES: Final = 5
"""A record that fails as often goes to the dead-letter queue, and the shard goes on."""
SCHEDULE_RETRIES: Final = 2
SCHEDULE_EVENT_AGE: Final = 600
"""Seconds; a sweep that could not start by then is left to the next."""
PARTIAL_BATCHES: Final = "ReportBatchItemFailures"


@dataclass(frozen=True, kw_only=True)
class QueueParts:
    """Events to deliver, and those that could not be."""

    events: aws.sqs.Queue
    dead_letters: aws.sqs.Queue


@dataclass(frozen=True, kw_only=True)
class ScheduleParts:
    """What wakes a Lambda periodically."""

    rule: aws.cloudwatch.EventRule
    target: aws.cloudwatch.EventTarget
    dead_letter_policy: aws.sqs.QueuePolicy
    permission: aws.lambda_.Permission


def create_queues(name: str, *, stack: str, parent: pulumi.Resource) -> QueueParts:
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
        visibility_timeout_seconds=catalogue.FANOUT_VISIBILITY_SECONDS,
        message_retention_seconds=EVENT_LIFE,
        sqs_managed_sse_enabled=True,
        redrive_policy=pulumi.Output.json_dumps(
            {
                "deadLetterTargetArn": dead_letters.arn,
                "maxReceiveCount": catalogue.FANOUT_MAX_RECEIVES,
            }
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return QueueParts(events=events, dead_letters=dead_letters)


def feed_from_queue(
    name: str,
    *,
    function: aws.lambda_.Function,
    queue: aws.sqs.Queue,
    parent: pulumi.Resource,
) -> aws.lambda_.EventSourceMapping:
    """Have a Lambda work through a queue; a message that it reports as failed comes again."""
    return aws.lambda_.EventSourceMapping(
        f"{name}-source",
        event_source_arn=queue.arn,
        function_name=function.arn,
        batch_size=catalogue.FANOUT_BATCH_SIZE,
        function_response_types=[PARTIAL_BATCHES],
        opts=pulumi.ResourceOptions(parent=parent),
    )


def feed_from_stream(
    name: str,
    *,
    function: aws.lambda_.Function,
    stream_arn: str,
    dead_letters: aws.sqs.Queue,
    parent: pulumi.Resource,
) -> aws.lambda_.EventSourceMapping:
    """Have a Lambda read a table's stream.

    Without the limits one poison record would block its shard until it expires, for a day.
    """
    return aws.lambda_.EventSourceMapping(
        f"{name}-source",
        event_source_arn=stream_arn,
        function_name=function.arn,
        starting_position="LATEST",
        batch_size=STREAM_BATCH,
        bisect_batch_on_function_error=True,
        maximum_retry_attempts=STREAM_RETRIES,
        maximum_record_age_in_seconds=EVENT_LIFE,
        function_response_types=[PARTIAL_BATCHES],
        destination_config={"on_failure": {"destination_arn": dead_letters.arn}},
        opts=pulumi.ResourceOptions(parent=parent),
    )


def schedule(
    name: str,
    *,
    physical_name: str,
    function: aws.lambda_.Function,
    minutes: int,
    dead_letters: aws.sqs.Queue,
    parent: pulumi.Resource,
) -> ScheduleParts:
    """Invoke a Lambda every so many minutes; what could not be started ends as a dead letter."""
    rule = aws.cloudwatch.EventRule(
        f"{name}-schedule",
        name=physical_name,
        description=f"Runs {physical_name} every {minutes} minutes",
        schedule_expression=f"rate({minutes} minutes)",
        opts=pulumi.ResourceOptions(parent=parent),
    )
    permission = aws.lambda_.Permission(
        f"{name}-schedule-permission",
        statement_id="Schedule",
        action="lambda:InvokeFunction",
        function=function.name,
        principal="events.amazonaws.com",
        source_arn=rule.arn,
        opts=pulumi.ResourceOptions(parent=rule),
    )
    dead_letter_policy = aws.sqs.QueuePolicy(
        f"{name}-schedule-dead-letters",
        queue_url=dead_letters.url,
        policy=pulumi.Output.json_dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "KeepWhatCouldNotStart",
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": dead_letters.arn,
                        "Condition": {"ArnEquals": {"aws:SourceArn": rule.arn}},
                    }
                ],
            }
        ),
        opts=pulumi.ResourceOptions(parent=rule),
    )
    target = aws.cloudwatch.EventTarget(
        f"{name}-schedule-target",
        rule=rule.name,
        target_id="function",
        arn=function.arn,
        dead_letter_config={"arn": dead_letters.arn},
        retry_policy={
            "maximum_retry_attempts": SCHEDULE_RETRIES,
            "maximum_event_age_in_seconds": SCHEDULE_EVENT_AGE,
        },
        opts=pulumi.ResourceOptions(parent=rule, depends_on=[permission, dead_letter_policy]),
    )
    return ScheduleParts(
        rule=rule, target=target, dead_letter_policy=dead_letter_policy, permission=permission
    )
