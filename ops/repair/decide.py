"""Which rows of the former handler are wrong, and what mends each. Pure.

Only rows that the merchant app wrote are ever touched: connections that name a business, their
`business_status` subscriptions, and the former handler's abandoned
`merchant_<business>_<user>` rows. What customers and drivers wrote stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Row = Mapping[str, Any]
"""An item as plain values; numbers are floats."""

Kind = Literal["entity type", "missing subscription", "orphan", "abandoned"]


@dataclass(frozen=True, kw_only=True)
class Fix:
    """One row that is wrong and how it is mended.

    `values` are attributes to set; none of them means that the row is deleted. `expected` must
    still stand in the row when it is mended, so that a row that changed meanwhile is left alone.
    """

    kind: Kind
    table: Literal["connections", "subscriptions"]
    key: str
    values: Mapping[str, str | float | bool]
    expected: Mapping[str, str]
    creates: bool = False


def merchants(connections: Iterable[Row], now: float) -> dict[str, Row]:
    """The live connections of the merchant app: they name a business and are no virtual rows."""
    return {
        str(row["connectionId"]): row
        for row in connections
        if row.get("businessId")
        and not row.get("isVirtualConnection")
        and row.get("entityType") in {"merchant", "customer", "business", "user", None}
        and not _expired(row, now)
    }


def connection_fixes(merchant_rows: Mapping[str, Row]) -> Iterator[Fix]:
    """A merchant's connection that calls itself anything else becomes a merchant's."""
    for connection_id, row in merchant_rows.items():
        if row.get("entityType") != "merchant":
            yield Fix(
                kind="entity type",
                table="connections",
                key=connection_id,
                values={"entityType": "merchant"},
                expected=_text({"entityType": row.get("entityType")}),
            )


def subscription_fixes(
    subscriptions: Iterable[Row], merchant_rows: Mapping[str, Row], live: set[str], now: float
) -> Iterator[Fix]:
    """What is wrong with the subscriptions: their type, their connection, or that they are missing.

    `live` are the ids of all connections, whoever's. Subscriptions that merchants lack come last.
    """
    subscribed: set[str] = set()
    for row in subscriptions:
        if _expired(row, now):
            continue
        key = str(row["subscriptionId"])
        connection_id = str(row.get("connectionId", ""))
        if _is_abandoned(row):
            yield _deletion("abandoned", key, row)
        elif row.get("subscriptionType") != "business_status" or not row.get("businessId"):
            continue
        elif connection_id not in live:
            yield _deletion("orphan", key, row)
        elif connection_id in merchant_rows:
            subscribed.add(connection_id)
            if row.get("entityType") != "merchant" or row.get("userType", "merchant") != "merchant":
                yield Fix(
                    kind="entity type",
                    table="subscriptions",
                    key=key,
                    values={"entityType": "merchant", "userType": "merchant"},
                    expected=_text({"connectionId": connection_id}),
                )
    for connection_id, row in merchant_rows.items():
        if connection_id not in subscribed and row.get("ttl"):
            yield _missing(connection_id, row)


def _missing(connection_id: str, row: Row) -> Fix:
    topic = f"business:{row['businessId']}"
    return Fix(
        kind="missing subscription",
        table="subscriptions",
        key=f"{connection_id}#{topic}",
        values={
            "connectionId": connection_id,
            "businessId": str(row["businessId"]),
            "userId": str(row.get("userId", row["businessId"])),
            "userType": "merchant",
            "entityType": "merchant",
            "subscriptionType": "business_status",
            "topic": topic,
            "isActive": True,
            "createdAt": str(row["connectedAt"]),
            "ttl": float(row["ttl"]),
        },
        expected={},
        creates=True,
    )


def _deletion(kind: Kind, key: str, row: Row) -> Fix:
    expected = {"connectionId": row.get("connectionId"), "businessId": row.get("businessId")}
    return Fix(kind=kind, table="subscriptions", key=key, values={}, expected=_text(expected))


def _is_abandoned(row: Row) -> bool:
    """A `merchant_<business>_<user>` row: an entityId, and no connection that it belongs to."""
    key = str(row["subscriptionId"])
    return (
        key.startswith("merchant_")
        and not key.startswith("merchant_status_")
        and "entityId" in row
        and "connectionId" not in row
    )


def _expired(row: Row, now: float) -> bool:
    ttl = row.get("ttl")
    return isinstance(ttl, float) and ttl <= now


def _text(values: Mapping[str, object]) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str)}
