"""DynamoDB: tables that pay per request, with their indexes, time to live and stream."""

from typing import Any, Final

from sandbox.aws import schema as row
from sandbox.aws.operation import Operation
from sandbox.aws.shapes import to_aws


def _sent(operation: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """Complete what DynamoDB takes as a whole: a stream, steps between indexes, a ttl's end."""
    if "StreamSpecification" in given:
        enabled = bool(operation.inputs.get("streamEnabled"))
        view = {"StreamViewType": operation.get("streamViewType")} if enabled else {}
        given["StreamSpecification"] = {"StreamEnabled": enabled, **view}
    if operation.state and "GlobalSecondaryIndexes" in given:
        given |= _index_changes(operation)
    if "TimeToLiveSpecification" in given and not operation.inputs.get("ttl"):
        name = operation.state["ttl"]["attributeName"]
        given["TimeToLiveSpecification"] = {"AttributeName": name, "Enabled": False}
    return given


def _index_changes(operation: Operation) -> dict[str, Any]:
    """Return what deletes and creates indexes; this DynamoDB takes any number of them at once."""
    properties = operation.type.properties
    indexes = properties["globalSecondaryIndexes"]
    old, new = (
        {each["IndexName"]: each for each in to_aws(indexes, values.get(indexes.name) or ())}
        for values in (operation.state, operation.inputs)
    )
    gone = [{"Delete": {"IndexName": name}} for name in old if old[name] != new.get(name)]
    made = [{"Create": new[name]} for name in new if new[name] != old.get(name)]
    known = to_aws(properties["attributes"], operation.inputs["attributes"])
    return {"AttributeDefinitions": known, "GlobalSecondaryIndexUpdates": gone + made}


_PROJECTIONS: Final = ("ALL", "INCLUDE", "KEYS_ONLY")
_TTL_CALL: Final = "update_time_to_live"

TABLE: Final = row.resource(
    "dynamodb/table:Table",
    row.text("name", "TableName", replaces=True, autoname=255),
    row.record_set(
        "attributes",
        row.text("name", "AttributeName", required=True),
        row.text("type", "AttributeType", required=True),
        aws="AttributeDefinitions",
        needed=True,
    ),
    row.text(
        "billingMode",
        told="BillingModeSummary.BillingMode",
        needed=True,
        choices=("PAY_PER_REQUEST",),
    ),
    row.flag("deletionProtectionEnabled"),
    row.record_set(
        "globalSecondaryIndexes",
        row.text("name", "IndexName", required=True),
        row.text("hashKey", "KeySchema.HASH", required=True),
        row.text("rangeKey", "KeySchema.RANGE"),
        row.text(
            "projectionType", "Projection.ProjectionType", required=True, choices=_PROJECTIONS
        ),
        row.text_set("nonKeyAttributes", "Projection.NonKeyAttributes"),
    ),
    row.text("hashKey", "KeySchema.HASH", replaces=True, needed=True),
    row.text("rangeKey", "KeySchema.RANGE", replaces=True),
    row.flag("streamEnabled", "StreamSpecification.StreamEnabled"),
    row.text("streamViewType", "StreamSpecification.StreamViewType", computed=True),
    row.record(
        "ttl",
        row.text("attributeName"),
        row.flag("enabled", told="TimeToLiveStatus", default=False),
        aws="TimeToLiveSpecification",
        told="TimeToLiveDescription",
        own=(_TTL_CALL, _TTL_CALL),
    ),
    row.out("arn", "TableArn"),
    row.out("streamArn", "LatestStreamArn", volatile=True),
    row.out("streamLabel", "LatestStreamLabel", volatile=True),
    row.TAGS,
    create="create_table",
    read="describe_table",
    answer="Table",
    sends=_sent,
    tells=lambda operation, found: {**found, **operation.call("describe_time_to_live")},
    update=("update_table",),
    delete="delete_table",
    key={"TableName": "id"},
    unique=("name",),
)
