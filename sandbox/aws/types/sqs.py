"""SQS: queues, whose settings the API takes as texts in one map, and their policies."""

from typing import Any, Final

from sandbox.aws import schema as row
from sandbox.aws.operation import Operation

_DAY: Final = 86400


def _attributes(operation: Operation) -> Any:
    return operation.call("get_queue_attributes", AttributeNames="All")


QUEUE: Final = row.resource(
    "sqs/queue:Queue",
    row.text("name", "QueueName", replaces=True, autoname=80),
    row.below(
        "Attributes",
        row.integer("delaySeconds", default=0, within=(0, 900)),
        row.integer("kmsDataKeyReusePeriodSeconds", computed=True, within=(60, _DAY)),
        row.text("kmsMasterKeyId"),
        row.integer("maxMessageSize", "MaximumMessageSize", default=2**18, within=(2**10, 2**20)),
        row.integer(
            "messageRetentionSeconds",
            "MessageRetentionPeriod",
            default=4 * _DAY,
            within=(60, 14 * _DAY),
        ),
        row.document("policy redriveAllowPolicy", computed=True),
        row.integer(
            "receiveWaitTimeSeconds", "ReceiveMessageWaitTimeSeconds", default=0, within=(0, 20)
        ),
        row.document("redrivePolicy"),
        row.flag("sqsManagedSseEnabled", computed=True),
        row.integer(
            "visibilityTimeoutSeconds", "VisibilityTimeout", default=30, within=(0, _DAY // 2)
        ),
    ),
    row.out("arn", "QueueArn"),
    row.out("url", "QueueUrl"),
    row.TAGS,
    create="create_queue",
    read=_attributes,
    answer="Attributes",
    tells=lambda _, found: {**found, "QueueName": found["QueueArn"].rsplit(":", 1)[-1]},
    update=("set_queue_attributes",),
    delete="delete_queue",
    key={"QueueUrl": "id"},
    unique=("name",),
)


def _delete_policy(operation: Operation) -> None:
    operation.call("set_queue_attributes", Attributes={"Policy": ""})


QUEUE_POLICY: Final = row.resource(
    "sqs/queuePolicy:QueuePolicy",
    row.text("queueUrl", required=True, replaces=True),
    row.below("Attributes", row.document("policy", required=True)),
    put="set_queue_attributes",
    read=_attributes,
    answer="Attributes",
    tells=lambda _, found: found if found.get("Policy") else None,
    delete=_delete_policy,
    key={"QueueUrl": "id"},
    unique=("queueUrl",),
)
