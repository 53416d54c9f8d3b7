"""What the order receiver needs of each table that it shares, and the check against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi_aws as aws

from components.refusal import Findings


@dataclass(frozen=True, kw_only=True)
class Index:
    """A global secondary index that our queries go through."""

    name: str
    hash_key: str
    range_key: str


@dataclass(frozen=True, kw_only=True)
class TableContract:
    """Keys, indexes, and what else must be on."""

    role: str
    hash_key: str
    indexes: tuple[Index, ...] = ()
    ttl: bool = False
    """Rows must expire by the attribute `ttl`."""
    stream: bool = False
    """Changes must be streamed, with the new image."""


CONNECTIONS: Final = TableContract(
    role="connections",
    hash_key="connectionId",
    indexes=(Index(name="userId-connectedAt-index", hash_key="userId", range_key="connectedAt"),),
    ttl=True,
)
SUBSCRIPTIONS: Final = TableContract(
    role="subscriptions",
    hash_key="subscriptionId",
    indexes=(
        Index(name="topic-createdAt-index", hash_key="topic", range_key="createdAt"),
        Index(name="userId-topic-index", hash_key="userId", range_key="topic"),
    ),
    ttl=True,
)
BUSINESSES: Final = TableContract(role="businesses", hash_key="businessId")
ORDERS: Final = TableContract(
    role="orders",
    hash_key="orderId",
    indexes=(
        Index(name="BusinessIdIndex", hash_key="businessId", range_key="createdAt"),
        Index(name="StoreIdIndex", hash_key="storeId", range_key="createdAt"),
    ),
    stream=True,
)

STREAM_VIEWS: Final = ("NEW_AND_OLD_IMAGES", "NEW_IMAGE")


def check_table(
    name: str, contract: TableContract, table: aws.dynamodb.GetTableResult, findings: Findings
) -> None:
    """Compare a table with what we need, and add every difference to the findings."""
    subject = f"{contract.role} table {name}"
    if table.hash_key != contract.hash_key or table.range_key:
        findings.refuse(
            subject,
            f"has the key {_key(table.hash_key, table.range_key)}, not {_key(contract.hash_key)}",
            f"set {contract.role}Table to the platform's {contract.role} table",
        )
    present = {
        index.name: (index.hash_key, index.range_key) for index in table.global_secondary_indexes
    }
    for index in contract.indexes:
        wanted = (index.hash_key, index.range_key)
        if index.name not in present:
            findings.refuse(
                subject,
                f"has no index {index.name} {_key(*wanted)} "
                f"(it has: {', '.join(sorted(present)) or 'none'})",
                "ask its owner to add the index",
            )
        elif present[index.name] != wanted:
            findings.refuse(
                subject,
                f"has the index {index.name} on {_key(*present[index.name])}, not {_key(*wanted)}",
                "ask its owner for the index as the platform documents it",
            )
    if contract.stream and not (table.stream_enabled and table.stream_view_type in STREAM_VIEWS):
        view = table.stream_view_type if table.stream_enabled else "no stream"
        findings.refuse(
            subject,
            f"has {view}, and new orders are read from its stream",
            f"ask its owner to switch the stream on with {STREAM_VIEWS[0]}, "
            "or leave ordersTable out",
        )


def _key(hash_key: str, range_key: str | None = None) -> str:
    return f"({hash_key}, {range_key})" if range_key else f"({hash_key})"
