"""What must be known beside a page of rows to judge them: businesses, connections, subscribers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from ops.paced import PacedTables, Row, plain
from ops.repair.connections import CONNECTION, may_be_merchants
from ops.repair.decisions import BUSINESS, Business, Surroundings, businesses_of
from ops.repair.subscriptions import is_a_devices

KEYS_AT_ONCE: Final = 100
"""BatchGetItem takes no more."""
TOPIC_INDEX: Final = "topic-createdAt-index"


class Reader:
    """The tables of a deployed stack, read within their rate."""

    def __init__(
        self, tables: PacedTables, *, connections: str, subscriptions: str, businesses: str
    ) -> None:
        self._tables = tables
        self._connections = connections
        self._subscriptions = subscriptions
        self._businesses = businesses

    def around_connections(self, rows: Sequence[Row]) -> Surroundings:
        """What a page of connections is judged by."""
        businesses = businesses_of([row for row in rows if may_be_merchants(row)])
        return Surroundings(
            businesses=self._named(businesses),
            subscribed={business: self._subscribers(business) for business in sorted(businesses)},
            connections={},
            now=time.time(),
        )

    def around_subscriptions(self, rows: Sequence[Row]) -> Surroundings:
        """What a page of subscriptions is judged by."""
        now = time.time()
        devices = [row for row in rows if is_a_devices(row, now)]
        ids = {str(row["connectionId"]) for row in devices if row.get("connectionId")}
        found = self._get(self._connections, "connectionId", ids, CONNECTION)
        return Surroundings(
            businesses=self._named(businesses_of([*devices, *found])),
            subscribed={},
            connections={str(row["connectionId"]): row for row in found},
            now=now,
        )

    def _named(self, names: Iterable[str]) -> dict[str, Business]:
        rows = self._get(self._businesses, "businessId", names, BUSINESS)
        return {str(row["businessId"]): Business.of(row) for row in rows}

    def _subscribers(self, business: str) -> frozenset[str]:
        """Connections that have a subscription to a business's topic, on all pages of the index."""
        found: set[str] = set()
        start: dict[str, Any] = {}
        while True:
            answer = self._tables.call(
                "query",
                TableName=self._subscriptions,
                IndexName=TOPIC_INDEX,
                KeyConditionExpression="topic = :topic",
                ExpressionAttributeValues={":topic": {"S": f"business:{business}"}},
                ProjectionExpression="connectionId",
                **start,
            )
            found |= {str(plain(item).get("connectionId")) for item in answer["Items"]}
            if not answer.get("LastEvaluatedKey"):
                return frozenset(found)
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _get(
        self, table: str, key: str, values: Iterable[str], attributes: Sequence[str]
    ) -> list[Row]:
        """Rows by their keys, as they are now, in calls of a hundred."""
        wanted = [{key: {"S": value}} for value in sorted(set(values))]
        names = {f"#{position}": name for position, name in enumerate(attributes)}
        found: list[Row] = []
        attempt = 0
        while wanted:
            asked, wanted = wanted[:KEYS_AT_ONCE], wanted[KEYS_AT_ONCE:]
            request = {
                "Keys": asked,
                "ConsistentRead": True,
                "ProjectionExpression": ", ".join(names),
                "ExpressionAttributeNames": names,
            }
            answer = self._tables.call("batch_get_item", RequestItems={table: request})
            found += [plain(item) for item in answer["Responses"].get(table, ())]
            unread = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            attempt = attempt + 1 if unread else 0
            if unread:
                self._tables.pause(attempt)
            wanted += unread
        return found
