"""Tables and indexes between Pulumi's properties and DynamoDB's own shapes. Pure."""

from collections.abc import Mapping
from typing import Any, Final

ON_DEMAND: Final = "PAY_PER_REQUEST"


def keys(hash_key: str, range_key: str | None) -> list[dict[str, str]]:
    """Return a key schema."""
    schema = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    return [*schema, {"AttributeName": range_key, "KeyType": "RANGE"}] if range_key else schema


def throughput(of: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """Return what a table or an index is given per second, unless it pays per request."""
    if mode == ON_DEMAND:
        return {}
    read, write = of.get("readCapacity") or 1, of.get("writeCapacity") or 1
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


def index(each: Mapping[str, Any], hash_key: str) -> dict[str, Any]:
    """Return a local index, or what a global one shares with it."""
    projection: dict[str, Any] = {"ProjectionType": each["projectionType"]}
    if each.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = each["nonKeyAttributes"]
    return {
        "IndexName": each["name"],
        "KeySchema": keys(hash_key, each.get("rangeKey")),
        "Projection": projection,
    }


def global_index(each: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """Return a global index."""
    return {**index(each, each["hashKey"]), **throughput(each, mode)}


def key_names(schema: list[dict[str, str]]) -> dict[str, str]:
    """Return a key schema as `hashKey` and, where there is one, `rangeKey`."""
    return {f"{each['KeyType'].lower()}Key": each["AttributeName"] for each in schema}


def index_properties(each: Mapping[str, Any]) -> dict[str, Any]:
    """Return an index as its properties."""
    projection = each.get("Projection", {})
    capacity = each.get("ProvisionedThroughput", {})
    found = {
        "name": each["IndexName"],
        **key_names(each["KeySchema"]),
        "projectionType": projection.get("ProjectionType"),
        "nonKeyAttributes": projection.get("NonKeyAttributes"),
        "readCapacity": capacity.get("ReadCapacityUnits"),
        "writeCapacity": capacity.get("WriteCapacityUnits"),
    }
    return {name: value for name, value in found.items() if value}


def table_properties(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return a described table (with its `TimeToLive`) as its properties."""
    mode = found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    capacity = found.get("ProvisionedThroughput", {})
    ttl, stream = found.get("TimeToLive", {}), found.get("StreamSpecification", {})
    locals_ = [index_properties(each) for each in found.get("LocalSecondaryIndexes", ())]
    return {
        **key_names(found["KeySchema"]),
        "attributes": [
            {"name": each["AttributeName"], "type": each["AttributeType"]}
            for each in found["AttributeDefinitions"]
        ],
        "billingMode": mode,
        "globalSecondaryIndexes": [
            index_properties(each) for each in found.get("GlobalSecondaryIndexes", ())
        ],
        "localSecondaryIndexes": [
            {name: value for name, value in each.items() if name != "hashKey"} for each in locals_
        ],
        "readCapacity": capacity.get("ReadCapacityUnits", 0),
        "writeCapacity": capacity.get("WriteCapacityUnits", 0),
        "streamEnabled": bool(stream.get("StreamEnabled")),
        "streamViewType": stream.get("StreamViewType", ""),
        "streamArn": found.get("LatestStreamArn", ""),
        "streamLabel": found.get("LatestStreamLabel", ""),
        "tableClass": found.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
        "ttl": {
            "attributeName": ttl.get("AttributeName", ""),
            "enabled": ttl.get("TimeToLiveStatus") == "ENABLED",
        },
    }
