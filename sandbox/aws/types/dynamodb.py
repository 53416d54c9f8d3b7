"""DynamoDB: tables with their indexes, time to live and stream."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.aws.diff import same
from sandbox.aws.errors import ProviderError
from sandbox.aws.operation import Operation
from sandbox.aws.schema import (
    TAGS,
    flag,
    integer,
    out,
    record,
    record_set,
    resource,
    text,
    text_set,
)

_ON_DEMAND: Final = "PAY_PER_REQUEST"


def _sent(operation: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """Complete what DynamoDB takes as a whole or not at all: throughput, stream, keys, ttl."""
    mode = operation.get("billingMode")
    if given.keys() & {"BillingMode", "ProvisionedThroughput"}:
        units = {
            "ReadCapacityUnits": operation.get("readCapacity") or 1,
            "WriteCapacityUnits": operation.get("writeCapacity") or 1,
        }
        given |= {"BillingMode": mode, "ProvisionedThroughput": units}
        _provision(mode, given)
    if "StreamSpecification" in given:
        view = operation.get("streamViewType") if operation.inputs.get("streamEnabled") else None
        stream = {"StreamEnabled": True, "StreamViewType": view} if view else {}
        given["StreamSpecification"] = stream or {"StreamEnabled": False}
    for each in given.get("LocalSecondaryIndexes", ()):
        each["KeySchema"] = {"HASH": operation.get("hashKey"), **each["KeySchema"]}
    for each in given.get("GlobalSecondaryIndexes", ()):
        _provision(mode, each)
    if given.get("TimeToLiveSpecification") == {}:
        name = operation.state["ttl"]["attributeName"]
        given["TimeToLiveSpecification"] = {"AttributeName": name, "Enabled": False}
    return given


def _provision(mode: str, each: dict[str, Any]) -> None:
    """Give a table or an index what it may be asked per second, unless it pays per request."""
    units = each.pop("ProvisionedThroughput", {})
    if mode != _ON_DEMAND:
        least = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
        each["ProvisionedThroughput"] = {**least, **units}


def _described(operation: Operation, found: dict[str, Any]) -> dict[str, Any]:
    usual = {
        "BillingModeSummary": {"BillingMode": "PROVISIONED"},
        "TableClassSummary": {"TableClass": "STANDARD"},
    }
    return {**usual, **found, **operation.call("describe_time_to_live")}


def _active(found: Mapping[str, Any]) -> bool:
    indexes = [
        each.get("IndexStatus", "ACTIVE") for each in found.get("GlobalSecondaryIndexes", ())
    ]
    return {found["TableStatus"], *indexes} == {"ACTIVE"}


def _update_table(operation: Operation) -> None:
    changed = [operation.type.properties[name] for name in operation.changed - {"tags", "tagsAll"}]
    parameters = operation.parameters(operation.changed - {"attributes"})
    attributes = operation.parameters({"attributes"})
    if operation.takes("update_table") & parameters.keys():
        operation.call("update_table", **parameters)
        operation.settled()
    for step in _index_steps(operation, parameters.get("GlobalSecondaryIndexes", ())):
        operation.call("update_table", **attributes, GlobalSecondaryIndexUpdates=step)
        operation.settled()
    operation.set_apart(changed, parameters)


def _index_steps(operation: Operation, wanted: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Delete and create global indexes; DynamoDB takes one of them at a time."""
    if "globalSecondaryIndexes" not in operation.changed:
        return
    item = operation.type.properties["globalSecondaryIndexes"].item
    before = {each["name"]: each for each in operation.state.get("globalSecondaryIndexes") or ()}
    after = {each["name"]: each for each in operation.inputs.get("globalSecondaryIndexes") or ()}
    kept = {
        name
        for name in before.keys() & after.keys()
        if item and same(item, before[name], after[name])
    }
    yield from ({"Delete": {"IndexName": name}} for name in before if name not in kept)
    yield from ({"Create": each} for each in wanted if each["IndexName"] not in kept)


def _delete_table(operation: Operation) -> None:
    if operation.get("deletionProtectionEnabled"):
        raise ProviderError(
            f"the table {operation.id} has deletionProtectionEnabled: set it to false first"
        )
    operation.call("delete_table")


def _table_needs(inputs: Mapping[str, Any]) -> Mapping[str, str]:
    needed = ("hashKey", "attributes")
    wrong = {name: f"a table needs {name}" for name in needed if name not in inputs}
    if inputs.get("streamEnabled") is True and "streamViewType" not in inputs:
        wrong["streamViewType"] = "a stream needs a streamViewType"
    return wrong


_PROJECTIONS: Final = ("ALL", "INCLUDE", "KEYS_ONLY")
_INDEX: Final = (
    *text("name", "IndexName", required=True),
    *text("projectionType", "Projection.ProjectionType", required=True, choices=_PROJECTIONS),
    *text_set("nonKeyAttributes", "Projection.NonKeyAttributes"),
)
_CAPACITY: Final = (
    *integer("readCapacity", "ProvisionedThroughput.ReadCapacityUnits", computed=True),
    *integer("writeCapacity", "ProvisionedThroughput.WriteCapacityUnits", computed=True),
)

TABLE: Final = resource(
    "dynamodb/table:Table",
    text("name", "TableName", replaces=True, autoname=255),
    record_set(
        "attributes",
        text("name", "AttributeName", required=True),
        text("type", "AttributeType", required=True),
        aws="AttributeDefinitions",
    ),
    text(
        "billingMode",
        told="BillingModeSummary.BillingMode",
        default="PROVISIONED",
        choices=("PROVISIONED", _ON_DEMAND),
    ),
    flag("deletionProtectionEnabled"),
    record_set(
        "globalSecondaryIndexes",
        _INDEX,
        text("hashKey", "KeySchema.HASH", required=True),
        text("rangeKey", "KeySchema.RANGE"),
        _CAPACITY,
    ),
    text("hashKey", "KeySchema.HASH", replaces=True),
    record_set(
        "localSecondaryIndexes",
        _INDEX,
        text("rangeKey", "KeySchema.RANGE", required=True),
        replaces=True,
    ),
    record(
        "pointInTimeRecovery",
        flag("enabled", "PointInTimeRecoveryEnabled", required=True),
        aws="PointInTimeRecoverySpecification",
        computed=True,
        own=("update_continuous_backups", "update_continuous_backups"),
    ),
    text("rangeKey", "KeySchema.RANGE", replaces=True),
    flag("streamEnabled", "StreamSpecification.StreamEnabled"),
    text("streamViewType", "StreamSpecification.StreamViewType", computed=True),
    text(
        "tableClass",
        told="TableClassSummary.TableClass",
        choices=("STANDARD", "STANDARD_INFREQUENT_ACCESS"),
        computed=True,
    ),
    record(
        "ttl",
        text("attributeName"),
        flag("enabled", told="TimeToLiveStatus", default=False),
        aws="TimeToLiveSpecification",
        told="TimeToLiveDescription",
        own=("update_time_to_live", "update_time_to_live"),
    ),
    _CAPACITY,
    out("arn", "TableArn"),
    out("streamArn", "LatestStreamArn", volatile=True),
    out("streamLabel", "LatestStreamLabel", volatile=True),
    TAGS,
    create="create_table",
    read="describe_table",
    answer="Table",
    sends=_sent,
    tells=_described,
    update=_update_table,
    delete=_delete_table,
    ready=_active,
    key={"TableName": "id"},
    unique=("name",),
    needs=_table_needs,
)
