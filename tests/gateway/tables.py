"""The tables of one test on the sandbox cloud, with the platform's keys and indexes."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from sandbox.cloud import Cloud

Row = dict[str, Any]

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def to_image(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row in DynamoDB's own notation; floats become numbers as DynamoDB keeps them."""
    return {name: _serialize(_exact(value)) for name, value in row.items()}


def from_image(image: Mapping[str, Any]) -> Row:
    return {name: _plain(_deserialize(value)) for name, value in image.items()}


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table, read and written behind the back of the code under test."""

    client: Any
    name: str
    key: str

    @classmethod
    def create(
        cls, cloud: Cloud, name: str, key: str, indexes: Mapping[str, tuple[str, str | None]]
    ) -> Self:
        """Create it with string keys; an index has a hash key and perhaps a range key."""
        client = cloud.client("dynamodb")
        attributes = {key, *(a for pair in indexes.values() for a in pair if a is not None)}
        definition: dict[str, Any] = {
            "TableName": name,
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "AttributeDefinitions": [
                {"AttributeName": attribute, "AttributeType": "S"}
                for attribute in sorted(attributes)
            ],
            "BillingMode": "PAY_PER_REQUEST",
        }
        if indexes:
            definition["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": index,
                    "KeySchema": _key_schema(*pair),
                    "Projection": {"ProjectionType": "ALL"},
                }
                for index, pair in indexes.items()
            ]
        client.create_table(**definition)
        return cls(client=client, name=name, key=key)

    def put(self, row: Mapping[str, Any]) -> None:
        self.client.put_item(TableName=self.name, Item=to_image(row))

    def put_all(self, rows: Iterable[Mapping[str, Any]]) -> None:
        waiting = [{"PutRequest": {"Item": to_image(row)}} for row in rows]
        for start in range(0, len(waiting), 25):
            self.client.batch_write_item(RequestItems={self.name: waiting[start : start + 25]})

    def get(self, key: str) -> Row | None:
        answer = self.client.get_item(
            TableName=self.name, Key={self.key: {"S": key}}, ConsistentRead=True
        )
        return from_image(answer["Item"]) if "Item" in answer else None

    def delete(self, key: str) -> None:
        self.client.delete_item(TableName=self.name, Key={self.key: {"S": key}})

    def rows(self) -> list[Row]:
        """Everything in the table."""
        pages = self.client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        return [from_image(item) for page in pages for item in page["Items"]]

    def clear(self) -> None:
        for row in self.rows():
            self.delete(row[self.key])

    def drop(self) -> None:
        self.client.delete_table(TableName=self.name)


def _key_schema(hash_key: str, range_key: str | None) -> list[dict[str, str]]:
    schema = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    if range_key is not None:
        schema.append({"AttributeName": range_key, "KeyType": "RANGE"})
    return schema


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The four tables that the Lambdas know."""

    connections: Table
    subscriptions: Table
    businesses: Table
    orders: Table

    @classmethod
    def create(cls, cloud: Cloud) -> Self:
        tail = uuid.uuid4().hex[:10]
        return cls(
            connections=Table.create(
                cloud,
                f"connections-{tail}",
                "connectionId",
                {"userId-connectedAt-index": ("userId", "connectedAt")},
            ),
            subscriptions=Table.create(
                cloud,
                f"subscriptions-{tail}",
                "subscriptionId",
                {
                    "topic-createdAt-index": ("topic", "createdAt"),
                    "userId-topic-index": ("userId", "topic"),
                },
            ),
            businesses=Table.create(
                cloud, f"businesses-{tail}", "businessId", {"email-index": ("email", None)}
            ),
            orders=Table.create(
                cloud,
                f"orders-{tail}",
                "orderId",
                {
                    "BusinessIdIndex": ("businessId", "createdAt"),
                    "StoreIdIndex": ("storeId", "createdAt"),
                },
            ),
        )

    def all(self) -> tuple[Table, ...]:
        return (self.connections, self.subscriptions, self.businesses, self.orders)

    def drop(self) -> None:
        for table in self.all():
            table.drop()

    def snapshot(self) -> dict[str, list[Row]]:
        """Every row of every table, to compare with later."""
        return {
            table.name: sorted(table.rows(), key=lambda row: row[table.key]) for table in self.all()
        }
