"""SQS: queues, whose settings the API takes as texts in one map, and their policies."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.operation import Operation
from sandbox.aws.schema import (
    ResourceType,
    Tagging,
    document,
    flag,
    integer,
    out,
    properties,
    table,
    text,
)


def _attributes(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Spell settings as the API does; it refuses FifoQueue=false and a name among them."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in parameters.items()
        if name != "QueueName" and (name != "FifoQueue" or value)
    }


def _create_queue(operation: Operation) -> str:
    parameters = operation.parameters()
    if not operation.get("fifoQueue"):
        parameters.pop("ContentBasedDeduplication", None)
    made = operation.api.create_queue(
        QueueName=operation.get("name"),
        Attributes=_attributes(parameters),
        **operation.tag_parameters(),
    )
    return str(made["QueueUrl"])


def _finish_queue(operation: Operation) -> None:
    operation.wait(lambda: operation.read() is not None, "the queue exists")


def _found(operation: Operation) -> Mapping[str, Any]:
    found = operation.api.get_queue_attributes(QueueUrl=operation.id, AttributeNames=["All"])
    return found["Attributes"]


def _read_queue(operation: Operation) -> Mapping[str, Any]:
    found = _found(operation)
    name = found["QueueArn"].rsplit(":", 1)[-1]
    return {**found, "QueueName": name, "QueueUrl": operation.id}


def _update_queue(operation: Operation) -> None:
    if attributes := _attributes(operation.changed_parameters):
        operation.api.set_queue_attributes(QueueUrl=operation.id, Attributes=attributes)


def _delete_queue(operation: Operation) -> None:
    operation.api.delete_queue(QueueUrl=operation.id)
    operation.wait(lambda: operation.read() is None, "the queue is gone")


def _fifo_name(inputs: Mapping[str, Any]) -> Mapping[str, str]:
    name, fifo = inputs.get("name"), bool(inputs.get("fifoQueue"))
    if isinstance(name, str) and fifo != name.endswith(".fifo"):
        return {"name": f"{name!r}: a FIFO queue's name ends in .fifo, and no other queue's does"}
    return {}


_DAY: Final = 86400

QUEUE: Final = ResourceType(
    pulumi_name="aws:sqs/queue:Queue",
    service="sqs",
    properties=properties(
        text("name", "QueueName", replaces=True),
        text("namePrefix", None, replaces=True),
        flag("contentBasedDeduplication", default=False),
        text("deduplicationScope", computed=True),
        integer("delaySeconds", default=0, least=0, most=900),
        flag("fifoQueue", default=False, replaces=True),
        text("fifoThroughputLimit", computed=True),
        integer("kmsDataKeyReusePeriodSeconds", computed=True, least=60, most=_DAY),
        text("kmsMasterKeyId"),
        integer("maxMessageSize", "MaximumMessageSize", default=262144, least=1024, most=1048576),
        integer(
            "messageRetentionSeconds",
            "MessageRetentionPeriod",
            default=4 * _DAY,
            least=60,
            most=14 * _DAY,
        ),
        document("policy", computed=True),
        integer(
            "receiveWaitTimeSeconds", "ReceiveMessageWaitTimeSeconds", default=0, least=0, most=20
        ),
        document("redriveAllowPolicy", computed=True),
        document("redrivePolicy"),
        flag("sqsManagedSseEnabled", computed=True),
        integer(
            "visibilityTimeoutSeconds", "VisibilityTimeout", default=30, least=0, most=_DAY // 2
        ),
        out("arn", "QueueArn"),
        out("url", "QueueUrl"),
        tags=True,
    ),
    create=_create_queue,
    finish=_finish_queue,
    read=_read_queue,
    update=_update_queue,
    delete=_delete_queue,
    autoname="name",
    autoname_most=80,
    autoname_suffix=lambda inputs: ".fifo" if inputs.get("fifoQueue") is True else "",
    unique=("name",),
    requires=_fifo_name,
    tagging=Tagging(
        parameter="tags",
        tag_parameter="Tags",
        tag="tag_queue",
        untag="untag_queue",
        listing="list_queue_tags",
        target="QueueUrl",
        target_from="id",
    ),
)


def _put_policy(operation: Operation) -> str:
    url = str(operation.get("queueUrl"))
    operation.api.set_queue_attributes(QueueUrl=url, Attributes={"Policy": operation.get("policy")})
    return url


def _update_policy(operation: Operation) -> None:
    _put_policy(operation)


def _read_policy(operation: Operation) -> Mapping[str, Any] | None:
    policy = _found(operation).get("Policy")
    return {"QueueUrl": operation.id, "Policy": policy} if policy else None


def _delete_policy(operation: Operation) -> None:
    operation.api.set_queue_attributes(QueueUrl=operation.id, Attributes={"Policy": ""})


QUEUE_POLICY: Final = ResourceType(
    pulumi_name="aws:sqs/queuePolicy:QueuePolicy",
    service="sqs",
    properties=properties(
        text("queueUrl", required=True, replaces=True), document("policy", required=True)
    ),
    create=_put_policy,
    read=_read_policy,
    update=_update_policy,
    delete=_delete_policy,
    unique=("queueUrl",),
)

TYPES: Final = table(QUEUE, QUEUE_POLICY)
