"""EventBridge, whose types Pulumi keeps under CloudWatch: rules and their targets."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.errors import ProviderError
from sandbox.aws.operation import Operation
from sandbox.aws.schema import (
    ResourceType,
    Tagging,
    document,
    flag,
    integer,
    mapping,
    out,
    properties,
    record,
    table,
    text,
)

_BUS: Final = "default"


def _put_rule(operation: Operation) -> str:
    tags = {} if operation.state else operation.tag_parameters()
    operation.api.put_rule(**operation.parameters(), **tags)
    bus, name = operation.get("eventBusName"), operation.get("name")
    return str(name) if bus == _BUS else f"{bus}/{name}"


def _update_rule(operation: Operation) -> None:
    _put_rule(operation)


def _rule_key(operation: Operation) -> dict[str, str]:
    bus, _, name = operation.id.rpartition("/")
    return {"Name": name, "EventBusName": bus or _BUS}


def _read_rule(operation: Operation) -> Mapping[str, Any]:
    return operation.api.describe_rule(**_rule_key(operation))


def _delete_rule(operation: Operation) -> None:
    operation.api.delete_rule(**_rule_key(operation))


def _rule_needs(inputs: Mapping[str, Any]) -> Mapping[str, str]:
    if inputs.get("eventPattern") or inputs.get("scheduleExpression"):
        return {}
    return {"scheduleExpression": "a rule needs a scheduleExpression or an eventPattern"}


EVENT_RULE: Final = ResourceType(
    pulumi_name="aws:cloudwatch/eventRule:EventRule",
    service="events",
    properties=properties(
        text("name", replaces=True),
        text("namePrefix", None, replaces=True),
        text("description"),
        text("eventBusName", default=_BUS, replaces=True),
        document("eventPattern"),
        flag("forceDestroy", None, default=False),
        text("roleArn"),
        text("scheduleExpression"),
        text("state", default="ENABLED", choices=("ENABLED", "DISABLED")),
        out("arn"),
        tags=True,
    ),
    create=_put_rule,
    read=_read_rule,
    update=_update_rule,
    delete=_delete_rule,
    requires=_rule_needs,
    autoname="name",
    autoname_most=64,
    unique=("eventBusName", "name"),
    tagging=Tagging(pairs=True),
)


def _put_target(operation: Operation) -> str:
    target = operation.parameters()
    rule = {"Rule": target.pop("Rule"), "EventBusName": target.pop("EventBusName")}
    answer = operation.api.put_targets(**rule, Targets=[target])
    for failed in answer.get("FailedEntries") or ():
        raise ProviderError(f"PutTargets was refused: {failed.get('ErrorMessage')}")
    return f"{rule['Rule']}-{target['Id']}"


def _update_target(operation: Operation) -> None:
    _put_target(operation)


def _target_rule(operation: Operation) -> dict[str, str]:
    return {"Rule": operation.get("rule"), "EventBusName": operation.get("eventBusName") or _BUS}


def _read_target(operation: Operation) -> Mapping[str, Any] | None:
    rule = _target_rule(operation)
    for target in operation.api.list_targets_by_rule(**rule)["Targets"]:
        if target["Id"] == operation.get("targetId"):
            return {**target, **rule}
    return None


def _delete_target(operation: Operation) -> None:
    operation.api.remove_targets(**_target_rule(operation), Ids=[operation.get("targetId")])


EVENT_TARGET: Final = ResourceType(
    pulumi_name="aws:cloudwatch/eventTarget:EventTarget",
    service="events",
    properties=properties(
        text("arn", required=True),
        text("rule", required=True, replaces=True),
        record("deadLetterConfig", text("arn")),
        text("eventBusName", default=_BUS, replaces=True),
        flag("forceDestroy", None, default=False),
        text("input"),
        text("inputPath"),
        record(
            "inputTransformer",
            text("inputTemplate", required=True),
            mapping("inputPaths", "InputPathsMap"),
        ),
        record(
            "retryPolicy",
            integer("maximumEventAgeInSeconds", least=60, most=86400),
            integer("maximumRetryAttempts", least=0, most=185),
        ),
        text("roleArn"),
        record("sqsTarget", text("messageGroupId"), aws="SqsParameters"),
        text("targetId", "Id", replaces=True),
    ),
    create=_put_target,
    read=_read_target,
    update=_update_target,
    delete=_delete_target,
    autoname="targetId",
    autoname_most=64,
    unique=("eventBusName", "rule", "targetId"),
    import_id=("eventBusName", "rule", "targetId"),
    compose_id=lambda parts: f"{parts['rule']}-{parts['targetId']}",
)

TYPES: Final = table(EVENT_RULE, EVENT_TARGET)
