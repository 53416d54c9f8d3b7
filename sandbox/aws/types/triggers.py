"""What calls Lambda functions: invoke permissions and event source mappings."""

import json
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
    record,
    records,
    table,
    text,
    text_set,
)


def same_function(one: str, other: str) -> bool:
    """Whether a name and an ARN, or two of one kind, are of the same function."""
    return one.rsplit(":function:", 1)[-1] == other.rsplit(":function:", 1)[-1]


# --- Permissions ----------------------------------------------------------------------------------


def _add_permission(operation: Operation) -> str:
    operation.api.add_permission(**operation.parameters())
    return str(operation.get("statementId"))


def _read_permission(operation: Operation) -> Mapping[str, Any] | None:
    policy = operation.api.get_policy(FunctionName=operation.get("function"))["Policy"]
    for statement in json.loads(policy)["Statement"]:
        if statement["Sid"] == operation.id:
            return _permission(statement, operation)
    return None


def _permission(statement: Mapping[str, Any], operation: Operation) -> Mapping[str, Any]:
    """Turn a statement of a function's policy back into what AddPermission was given."""
    principal = statement["Principal"]
    if isinstance(principal, dict):
        principal = principal.get("Service") or principal.get("AWS")
    conditions = {
        key.lower(): value
        for test in statement.get("Condition", {}).values()
        for key, value in test.items()
    }
    return {
        "FunctionName": operation.get("function"),
        "StatementId": statement["Sid"],
        "Action": statement["Action"],
        "Principal": principal,
        "SourceArn": conditions.get("aws:sourcearn"),
        "SourceAccount": conditions.get("aws:sourceaccount"),
        "PrincipalOrgID": conditions.get("aws:principalorgid"),
        "EventSourceToken": conditions.get("lambda:eventsourcetoken"),
    }


def _remove_permission(operation: Operation) -> None:
    operation.api.remove_permission(
        FunctionName=operation.get("function"), StatementId=operation.id
    )


PERMISSION: Final = ResourceType(
    pulumi_name="aws:lambda/permission:Permission",
    service="lambda",
    properties=properties(
        text("action", required=True, replaces=True),
        text("function", "FunctionName", required=True, replaces=True, same=same_function),
        text("principal", required=True, replaces=True),
        text("eventSourceToken", replaces=True),
        text("principalOrgId", "PrincipalOrgID", replaces=True),
        text("sourceAccount", replaces=True),
        text("sourceArn", replaces=True),
        text("statementId", replaces=True),
        text("statementIdPrefix", None, replaces=True),
    ),
    create=_add_permission,
    read=_read_permission,
    delete=_remove_permission,
    autoname="statementId",
    autoname_most=100,
    unique=("function", "statementId"),
    import_id=("function", "id"),
)


# --- Event source mappings ------------------------------------------------------------------------


def _create_mapping(operation: Operation) -> str:
    made = operation.api.create_event_source_mapping(
        **operation.parameters(), **operation.tag_parameters()
    )
    return str(made["UUID"])


def _finish_mapping(operation: Operation) -> None:
    operation.wait(
        lambda: _state(operation) in ("Enabled", "Disabled"), "the event source mapping is ready"
    )


def _state(operation: Operation) -> str | None:
    found = operation.read()
    return None if found is None else str(found["State"])


def _read_mapping(operation: Operation) -> Mapping[str, Any]:
    found = operation.api.get_event_source_mapping(UUID=operation.id)
    enabled = found.get("State") not in ("Disabled", "Disabling")
    return {**found, "FunctionName": found.get("FunctionArn"), "Enabled": enabled}


def _update_mapping(operation: Operation) -> None:
    if parameters := operation.changed_parameters:
        operation.api.update_event_source_mapping(UUID=operation.id, **parameters)
        _finish_mapping(operation)


def _delete_mapping(operation: Operation) -> None:
    operation.api.delete_event_source_mapping(UUID=operation.id)
    operation.wait(lambda: _state(operation) is None, "the event source mapping is gone")


EVENT_SOURCE_MAPPING: Final = ResourceType(
    pulumi_name="aws:lambda/eventSourceMapping:EventSourceMapping",
    service="lambda",
    properties=properties(
        text("functionName", required=True, same=same_function),
        integer("batchSize", computed=True, least=1, most=10000),
        flag("bisectBatchOnFunctionError"),
        record("destinationConfig", record("onFailure", text("destinationArn", "Destination"))),
        flag("enabled", default=True),
        text("eventSourceArn", replaces=True),
        record("filterCriteria", records("filters", text("pattern"))),
        text_set("functionResponseTypes"),
        integer("maximumBatchingWindowInSeconds", least=0, most=300),
        integer("maximumRecordAgeInSeconds", computed=True, least=-1, most=604800),
        integer("maximumRetryAttempts", computed=True, least=-1, most=10000),
        integer("parallelizationFactor", computed=True, least=1, most=10),
        record("scalingConfig", integer("maximumConcurrency", least=2, most=1000)),
        text("startingPosition", replaces=True, choices=("LATEST", "TRIM_HORIZON")),
        integer("tumblingWindowInSeconds", least=0, most=900),
        out("arn", "EventSourceMappingArn"),
        out("functionArn"),
        out("lastModified"),
        out("lastProcessingResult"),
        out("state"),
        out("stateTransitionReason"),
        out("uuid", "UUID"),
        tags=True,
    ),
    create=_create_mapping,
    finish=_finish_mapping,
    read=_read_mapping,
    update=_update_mapping,
    delete=_delete_mapping,
    unique=("functionName", "eventSourceArn"),
    tagging=Tagging(target="Resource", listing="list_tags"),
    volatile=frozenset({"lastModified", "state", "stateTransitionReason"}),
)


TYPES: Final = table(PERMISSION, EVENT_SOURCE_MAPPING)
