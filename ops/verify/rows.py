"""The rows behind a connection, read and cleared as an operator may."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ops.deployed import Deployed
from ops.errors import OperatorError


class Rows:
    """The two shared tables of a deployed stack."""

    def __init__(self, deployed: Deployed, profile: str | None) -> None:
        self._client = deployed.client("dynamodb", profile=profile)
        self._lambda = deployed.client("lambda", profile=profile)
        self._function = deployed.functions.get("websocket", "")
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

    def place_order(self, order_id: str, business_id: str) -> None:
        """Write a pending order of nobody's for the business; it costs nothing and has no items."""
        self._client.put_item(
            TableName=self._orders_table(),
            Item={
                "orderId": {"S": order_id},
                "businessId": {"S": business_id},
                "status": {"S": "pending"},
                "items": {"L": []},
                "totalAmount": {"N": "0"},
                "createdAt": {"S": datetime.now(UTC).isoformat(timespec="milliseconds")},
            },
        )

    def remove_order(self, order_id: str) -> None:
        """Delete the order that was placed."""
        self._client.delete_item(TableName=self._orders_table(), Key={"orderId": {"S": order_id}})

    def _orders_table(self) -> str:
        configuration = self._lambda.get_function_configuration(FunctionName=self._function)
        table = configuration["Environment"]["Variables"].get("ORDERS_TABLE")
        if not table:
            raise OperatorError("the stack has no orders table: leave --with-order out")
        return str(table)

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
