"""DynamoDB: tables with their indexes, time to live and stream."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.errors import ProviderError
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
from sandbox.aws.types.table_shapes import (
    ON_DEMAND,
    global_index,
    index,
    keys,
    table_properties,
    throughput,
)


def _attributes(operation: Operation) -> list[dict[str, str]]:
    return [
        {"AttributeName": each["name"], "AttributeType": each["type"]}
        for each in operation.get("attributes", [])
    ]


def _stream(operation: Operation) -> dict[str, Any]:
    if not operation.inputs.get("streamEnabled"):
        return {"StreamEnabled": False}
    return {"StreamEnabled": True, "StreamViewType": operation.get("streamViewType")}


def _create_table(operation: Operation) -> str:
    given, mode = operation.inputs, operation.get("billingMode")
    parameters = operation.parameters()
    if locals_ := given.get("localSecondaryIndexes"):
        parameters["LocalSecondaryIndexes"] = [index(each, given["hashKey"]) for each in locals_]
    if globals_ := given.get("globalSecondaryIndexes"):
        parameters["GlobalSecondaryIndexes"] = [global_index(each, mode) for each in globals_]
    if given.get("streamEnabled"):
        parameters["StreamSpecification"] = _stream(operation)
    operation.api.create_table(
        **parameters,
        **throughput(given, mode),
        KeySchema=keys(given["hashKey"], given.get("rangeKey")),
        AttributeDefinitions=_attributes(operation),
        **operation.tag_parameters(),
    )
    return str(operation.get("name"))


def _finish_table(operation: Operation) -> None:
    _active(operation)
    if operation.inputs.get("ttl"):
        _set_ttl(operation)
    if operation.inputs.get("pointInTimeRecovery"):
        _set_recovery(operation)


def _described(operation: Operation) -> dict[str, Any]:
    return operation.api.describe_table(TableName=operation.id)["Table"]


def _active(operation: Operation) -> None:
    def done() -> bool:
        now = _described(operation)
        indexes = now.get("GlobalSecondaryIndexes", ())
        return now["TableStatus"] == "ACTIVE" and all(
            each.get("IndexStatus", "ACTIVE") == "ACTIVE" for each in indexes
        )

    operation.wait(done, f"the table {operation.id} is active")


def _set_ttl(operation: Operation) -> None:
    ttl = operation.inputs.get("ttl") or {}
    name = ttl.get("attributeName") or (operation.state.get("ttl") or {}).get("attributeName")
    if name:
        enabled = bool(ttl.get("enabled"))
        operation.api.update_time_to_live(
            TableName=operation.id,
            TimeToLiveSpecification={"Enabled": enabled, "AttributeName": name},
        )


def _set_recovery(operation: Operation) -> None:
    enabled = bool((operation.inputs.get("pointInTimeRecovery") or {}).get("enabled"))
    operation.api.update_continuous_backups(
        TableName=operation.id,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled},
    )


def _update_table(operation: Operation) -> None:
    changed = operation.changed
    mode = operation.get("billingMode")
    settings = operation.changed_parameters
    if changed & {"billingMode", "readCapacity", "writeCapacity"}:
        settings |= {"BillingMode": mode, **throughput(operation.inputs, mode)}
    if settings:
        operation.api.update_table(TableName=operation.id, **settings)
        _active(operation)
    if changed & {"streamEnabled", "streamViewType"}:
        operation.api.update_table(TableName=operation.id, StreamSpecification=_stream(operation))
        _active(operation)
    if "globalSecondaryIndexes" in changed:
        _update_indexes(operation, mode)
    if "ttl" in changed:
        _set_ttl(operation)
    if "pointInTimeRecovery" in changed:
        _set_recovery(operation)


def _update_indexes(operation: Operation, mode: str) -> None:
    """Delete and create global indexes; DynamoDB takes one of them at a time."""
    before = {each["name"]: each for each in operation.state.get("globalSecondaryIndexes") or ()}
    after = {each["name"]: each for each in operation.inputs.get("globalSecondaryIndexes") or ()}
    steps: list[dict[str, Any]] = [
        {"Delete": {"IndexName": name}} for name, each in before.items() if after.get(name) != each
    ]
    steps += [
        {"Create": global_index(each, mode)}
        for name, each in after.items()
        if before.get(name) != each
    ]
    for step in steps:
        operation.api.update_table(
            TableName=operation.id,
            AttributeDefinitions=_attributes(operation),
            GlobalSecondaryIndexUpdates=[step],
        )
        _active(operation)


def _delete_table(operation: Operation) -> None:
    if operation.get("deletionProtectionEnabled"):
        raise ProviderError(
            f"the table {operation.id} has deletionProtectionEnabled: set it to false first"
        )
    operation.api.delete_table(TableName=operation.id)
    operation.wait(lambda: operation.read() is None, f"the table {operation.id} is gone")


def _read_table(operation: Operation) -> Mapping[str, Any]:
    described = _described(operation)
    name = {"TableName": operation.id}
    ttl = operation.api.describe_time_to_live(**name)["TimeToLiveDescription"]
    return {**described, "TimeToLive": ttl}


def _table_outputs(_: Operation, found: Mapping[str, Any]) -> Mapping[str, Any]:
    return table_properties(found)


def _table_needs(inputs: Mapping[str, Any]) -> Mapping[str, str]:
    wrong = {
        name: f"a table needs {name}" for name in ("hashKey", "attributes") if name not in inputs
    }
    if inputs.get("streamEnabled") is True and "streamViewType" not in inputs:
        wrong["streamViewType"] = "a stream needs a streamViewType"
    return wrong


_INDEX: Final = (
    text("name", required=True),
    text("projectionType", required=True, choices=("ALL", "INCLUDE", "KEYS_ONLY")),
    text_set("nonKeyAttributes"),
)

TABLE: Final = ResourceType(
    pulumi_name="aws:dynamodb/table:Table",
    service="dynamodb",
    properties=properties(
        text("name", "TableName", replaces=True),
        records("attributes", text("name", required=True), text("type", required=True), aws=None),
        text("billingMode", default="PROVISIONED", choices=("PROVISIONED", ON_DEMAND)),
        flag("deletionProtectionEnabled"),
        records(
            "globalSecondaryIndexes",
            *_INDEX,
            text("hashKey", required=True),
            text("rangeKey"),
            integer("readCapacity", computed=True),
            integer("writeCapacity", computed=True),
            aws=None,
        ),
        text("hashKey", None, replaces=True),
        records(
            "localSecondaryIndexes",
            *_INDEX,
            text("rangeKey", required=True),
            aws=None,
            replaces=True,
        ),
        record("pointInTimeRecovery", flag("enabled", required=True), aws=None, computed=True),
        text("rangeKey", None, replaces=True),
        integer("readCapacity", None, computed=True),
        flag("streamEnabled", None),
        text("streamViewType", None, computed=True),
        text("tableClass", choices=("STANDARD", "STANDARD_INFREQUENT_ACCESS"), computed=True),
        record("ttl", text("attributeName"), flag("enabled", default=False), aws=None),
        integer("writeCapacity", None, computed=True),
        out("arn", "TableArn"),
        out("streamArn", None),
        out("streamLabel", None),
        tags=True,
    ),
    create=_create_table,
    finish=_finish_table,
    read=_read_table,
    update=_update_table,
    delete=_delete_table,
    outputs=_table_outputs,
    requires=_table_needs,
    autoname="name",
    unique=("name",),
    tagging=Tagging(pairs=True, target="ResourceArn", listing="list_tags_of_resource"),
    volatile=frozenset({"streamArn", "streamLabel"}),
)

TYPES: Final = table(TABLE)
