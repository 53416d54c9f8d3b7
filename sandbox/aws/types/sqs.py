"""SQS: queues, whose settings the API takes as texts in one map, and their policies."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.operation import Operation
from sandbox.aws.schema import TAGS, below, document, flag, integer, out, resource, text

_DAY: Final = 86400


def _attributes(operation: Operation) -> Any:
    return operation.call("get_queue_attributes", AttributeNames="All")


def _fifo_name(inputs: Mapping[str, Any]) -> Mapping[str, str]:
    name, fifo = inputs.get("name"), bool(inputs.get("fifoQueue"))
    if isinstance(name, str) and fifo != name.endswith(".fifo"):
        return {"name": f"{name!r}: a FIFO queue's name ends in .fifo, and no other queue's does"}
    return {}


QUEUE: Final = resource(
    "sqs/queue:Queue",
    text("name", "QueueName", replaces=True, autoname=80),
    text("namePrefix", None, replaces=True),
    below(
        "Attributes",
        flag("contentBasedDeduplication", default=False),
        text("deduplicationScope fifoThroughputLimit", computed=True),
        integer("delaySeconds", default=0, within=(0, 900)),
        flag("fifoQueue", default=False, replaces=True),
        integer("kmsDataKeyReusePeriodSeconds", computed=True, within=(60, _DAY)),
        text("kmsMasterKeyId"),
        integer("maxMessageSize", "MaximumMessageSize", default=2**18, within=(2**10, 2**20)),
        integer(
            "messageRetentionSeconds",
            "MessageRetentionPeriod",
            default=4 * _DAY,
            within=(60, 14 * _DAY),
        ),
        document("policy redriveAllowPolicy", computed=True),
        integer(
            "receiveWaitTimeSeconds", "ReceiveMessageWaitTimeSeconds", default=0, within=(0, 20)
        ),
        document("redrivePolicy"),
        flag("sqsManagedSseEnabled", computed=True),
        integer("visibilityTimeoutSeconds", "VisibilityTimeout", default=30, within=(0, _DAY // 2)),
    ),
    out("arn", "QueueArn"),
    out("url", "QueueUrl"),
    TAGS,
    create="create_queue",
    read=_attributes,
    answer="Attributes",
    tells=lambda _, found: {**found, "QueueName": found["QueueArn"].rsplit(":", 1)[-1]},
    update=("set_queue_attributes",),
    delete="delete_queue",
    ready=lambda _: True,
    key={"QueueUrl": "id"},
    unique=("name",),
    suffix=lambda inputs: ".fifo" if inputs.get("fifoQueue") is True else "",
    needs=_fifo_name,
)


def _delete_policy(operation: Operation) -> None:
    operation.call("set_queue_attributes", Attributes={"Policy": ""})


QUEUE_POLICY: Final = resource(
    "sqs/queuePolicy:QueuePolicy",
    text("queueUrl", required=True, replaces=True),
    below("Attributes", document("policy", required=True)),
    create="set_queue_attributes",
    read=_attributes,
    answer="Attributes",
    tells=lambda _, found: found if found.get("Policy") else None,
    update=("set_queue_attributes",),
    delete=_delete_policy,
    key={"QueueUrl": "id"},
    unique=("queueUrl",),
)
