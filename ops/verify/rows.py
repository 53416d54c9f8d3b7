"""The rows behind a connection, read and cleared as an operator may."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ops.deployed import Deployed


class Rows:
    """The two shared tables of a deployed stack."""

    def __init__(self, deployed: Deployed, profile: str | None) -> None:
        self._client = deployed.client("dynamodb", profile=profile)
        self._connections = deployed.connections_table
        self._subscriptions = deployed.subscriptions_table

    def connection(self, connection_id: str) -> dict[str, Any]:
        """The connection's row, read consistently; empty where there is none."""
        return self._plain(self._connections, {"connectionId": {"S": connection_id}})

    def subscription(self, subscription_id: str) -> dict[str, Any]:
        """A subscription's row, read consistently; empty where there is none."""
        return self._plain(self._subscriptions, {"subscriptionId": {"S": subscription_id}})

    def clear(self, connection_id: str, subscription_ids: set[str]) -> None:
        """Delete the connection's row and these subscriptions, whether they are there or not."""
        self._client.delete_item(
            TableName=self._connections, Key={"connectionId": {"S": connection_id}}
        )
        for subscription_id in subscription_ids:
            self._client.delete_item(
                TableName=self._subscriptions, Key={"subscriptionId": {"S": subscription_id}}
            )

    def _plain(self, table: str, key: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.get_item(TableName=table, Key=key, ConsistentRead=True)
        item: dict[str, Any] = answer.get("Item", {})
        return {name: next(iter(value.values())) for name, value in item.items()}


def becomes(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether the condition holds within so many seconds, asked again and again."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
