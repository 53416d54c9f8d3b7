"""CloudWatch Logs: log groups."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.operation import Operation
from sandbox.aws.schema import (
    ResourceType,
    Tagging,
    flag,
    integer,
    out,
    properties,
    table,
    text,
)

_RETENTIONS: Final = (
    *(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557),
    *(2922, 3288, 3653),
)


def _create_log_group(operation: Operation) -> str:
    parameters = operation.parameters()
    parameters.pop("retentionInDays", None)
    operation.api.create_log_group(**parameters, **operation.tag_parameters())
    return str(operation.get("name"))


def _retain(operation: Operation) -> None:
    group = {"logGroupName": operation.get("name")}
    if days := operation.inputs.get("retentionInDays"):
        operation.api.put_retention_policy(**group, retentionInDays=days)
    elif operation.state:
        operation.api.delete_retention_policy(**group)


def _update_log_group(operation: Operation) -> None:
    if "retentionInDays" in operation.changed:
        _retain(operation)


def _read_log_group(operation: Operation) -> Mapping[str, Any] | None:
    found = operation.api.describe_log_groups(logGroupNamePrefix=operation.id)["logGroups"]
    for group in found:
        if group["logGroupName"] == operation.id:
            # Without the `:*` that stands for its streams, as the official provider gives it.
            return {**group, "arn": group["arn"].removesuffix(":*")}
    return None


def _delete_log_group(operation: Operation) -> None:
    operation.api.delete_log_group(logGroupName=operation.id)


LOG_GROUP: Final = ResourceType(
    pulumi_name="aws:cloudwatch/logGroup:LogGroup",
    service="logs",
    properties=properties(
        text("name", "logGroupName", replaces=True),
        text("namePrefix", None, replaces=True),
        text("kmsKeyId", "kmsKeyId", replaces=True),
        text(
            "logGroupClass",
            "logGroupClass",
            computed=True,
            replaces=True,
            choices=("STANDARD", "INFREQUENT_ACCESS"),
        ),
        integer("retentionInDays", "retentionInDays", default=0, choices=_RETENTIONS),
        flag("skipDestroy", None, default=False),
        out("arn", "arn"),
        tags=True,
    ),
    create=_create_log_group,
    finish=_retain,
    read=_read_log_group,
    update=_update_log_group,
    delete=_delete_log_group,
    autoname="name",
    autoname_most=512,
    unique=("name",),
    tagging=Tagging(parameter="tags", listed="tags", target="resourceArn", keys="tagKeys"),
)


TYPES: Final = table(LOG_GROUP)
