"""The platform's tables: keys, indexes, time to live and streams as on the live platform."""

from dataclasses import dataclass
from typing import Any, Final

from sandbox.cloud import Cloud

STAGE: Final = "sandbox"


@dataclass(frozen=True, kw_only=True)
class Index:
    """A global secondary index that projects everything."""

    name: str
    hash_key: str
    range_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table; every key is a string."""

    name: str
    hash_key: str
    indexes: tuple[Index, ...] = ()
    ttl: str | None = None
    stream: str | None = None


CONNECTIONS: Final = Table(
    name=f"WizzUser_websocket_connections_{STAGE}",
    hash_key="connectionId",
    indexes=(Index(name="userId-connectedAt-index", hash_key="userId", range_key="connectedAt"),),
    ttl="ttl",
)
SUBSCRIPTIONS: Final = Table(
    name=f"WizzUser_websocket_subscriptions_{STAGE}",
    hash_key="subscriptionId",
    indexes=(
        Index(name="topic-createdAt-index", hash_key="topic", range_key="createdAt"),
        Index(name="userId-topic-index", hash_key="userId", range_key="topic"),
    ),
    ttl="ttl",
)
BUSINESSES: Final = Table(
    name=f"WhizzMerchants_Businesses_{STAGE}",
    hash_key="businessId",
    indexes=(Index(name="email-index", hash_key="email"),),
)
ORDERS: Final = Table(
    name=f"WizzOrders_{STAGE}",
    hash_key="orderId",
    indexes=(
        Index(name="BusinessIdIndex", hash_key="businessId", range_key="createdAt"),
        Index(name="StoreIdIndex", hash_key="storeId", range_key="createdAt"),
    ),
    stream="NEW_AND_OLD_IMAGES",
)
TABLES: Final = (CONNECTIONS, SUBSCRIPTIONS, BUSINESSES, ORDERS)


def ensure_table(cloud: Cloud, table: Table) -> None:
    """Create the table when there is none of that name; one that exists is left as it is."""
    dynamodb = cloud.client("dynamodb")
    try:
        dynamodb.create_table(**_definition(table))
    except dynamodb.exceptions.ResourceInUseException:
        return
    if table.ttl:
        dynamodb.update_time_to_live(
            TableName=table.name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl},
        )


def _definition(table: Table) -> dict[str, Any]:
    keys = {table.hash_key}
    for index in table.indexes:
        keys |= {index.hash_key, index.range_key or index.hash_key}
    definition: dict[str, Any] = {
        "TableName": table.name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": key, "AttributeType": "S"} for key in sorted(keys)
        ],
        "KeySchema": _key_schema(table.hash_key, None),
    }
    if table.indexes:
        definition["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index.name,
                "KeySchema": _key_schema(index.hash_key, index.range_key),
                "Projection": {"ProjectionType": "ALL"},
            }
            for index in table.indexes
        ]
    if table.stream:
        definition["StreamSpecification"] = {
            "StreamEnabled": True,
            "StreamViewType": table.stream,
        }
    return definition


def _key_schema(hash_key: str, range_key: str | None) -> list[dict[str, str]]:
    schema = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    if range_key:
        schema.append({"AttributeName": range_key, "KeyType": "RANGE"})
    return schema
