"""The rows behind a connection and a business, read and put back as an operator may."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from ops.deployed import Deployed
from ops.errors import OperatorError
from ops.verify.throttling import patiently

_SWITCHES = ("isActive", "acceptingOrders")
"""Two attributes of a business say whether it is open; other writers know only one of them."""


@dataclass(frozen=True, kw_only=True)
class Business:
    """Whether a business is open, as the tables say it."""

    business_id: str
    switches: Mapping[str, bool]
    """Those of the two that are there."""
    has_status_row: bool
    """Whether it was ever toggled, so that the subscriptions table holds its version."""

    @property
    def is_open(self) -> bool:
        """Open is what nothing says is closed."""
        return bool(self.switches) and all(self.switches.values())


class Rows:
    """The tables of a deployed stack; a call that is throttled is tried again for a while."""

    def __init__(self, deployed: Deployed, profile: str | None) -> None:
        self._client = deployed.client("dynamodb", profile=profile)
        self._lambda = deployed.client("lambda", profile=profile)
        self._functions = deployed.functions
        self._connections = deployed.connections_table
        self._subscriptions = deployed.subscriptions_table

    def connection(self, connection_id: str) -> dict[str, Any]:
        """The connection's row, read consistently; empty where there is none."""
        return self._get(self._connections, "connectionId", connection_id)

    def subscription(self, subscription_id: str) -> dict[str, Any]:
        """A subscription's row, read consistently; empty where there is none."""
        return self._get(self._subscriptions, "subscriptionId", subscription_id)

    def business(self, business_id: str) -> Business:
        """How the business stands now."""
        row = self._get(self._table("BUSINESSES_TABLE"), "businessId", business_id)
        if not row:
            raise OperatorError(f"there is no business {business_id}")
        return Business(
            business_id=business_id,
            switches={name: row[name] for name in _SWITCHES if name in row},
            has_status_row=bool(self.subscription(status_topic(business_id))),
        )

    def set_switches(self, business: Business) -> None:
        """Write the switches of a business as they were found."""
        values = {f":{name}": {"BOOL": value} for name, value in business.switches.items()}
        missing = [name for name in _SWITCHES if name not in business.switches]
        clauses = [("SET", [f"{name} = :{name}" for name in business.switches])]
        clauses += [("REMOVE", missing)]
        patiently(
            self._client,
            "update_item",
            TableName=self._table("BUSINESSES_TABLE"),
            Key={"businessId": {"S": business.business_id}},
            UpdateExpression=" ".join(
                f"{verb} {', '.join(what)}" for verb, what in clauses if what
            ),
            **({"ExpressionAttributeValues": values} if values else {}),
        )

    def clear(self, *, connections: Iterable[str] = (), subscriptions: Iterable[str] = ()) -> None:
        """Delete these rows, whether they are there or not.

        Connections first: where they are gone, no subscription of theirs is written any more.
        """
        for connection_id in connections:
            self._delete(self._connections, "connectionId", connection_id)
        for subscription_id in subscriptions:
            self._delete(self._subscriptions, "subscriptionId", subscription_id)

    def place_order(self, order_id: str, business_id: str) -> None:
        """Write a pending order of nobody's for the business; it costs nothing and has no items."""
        patiently(
            self._client,
            "put_item",
            TableName=self._table("ORDERS_TABLE"),
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
        """Delete an order that was placed."""
        self._delete(self._table("ORDERS_TABLE"), "orderId", order_id)

    def sweep(self) -> None:
        """Start the janitor, as its schedule does every quarter of an hour."""
        patiently(
            self._lambda,
            "invoke",
            FunctionName=self._functions["janitor"],
            InvocationType="Event",
        )

    @cached_property
    def _environment(self) -> dict[str, str]:
        """The stack's outputs do not name the tables of businesses and orders; its Lambda does."""
        name = self._functions.get("websocket", "")
        configuration = patiently(self._lambda, "get_function_configuration", FunctionName=name)
        return configuration["Environment"]["Variables"]

    def _table(self, variable: str) -> str:
        table = self._environment.get(variable)
        if not table:
            raise OperatorError(f"the stack's websocket Lambda has no {variable}")
        return table

    def _get(self, table: str, key: str, value: str) -> dict[str, Any]:
        answer = patiently(
            self._client,
            "get_item",
            TableName=table,
            Key={key: {"S": value}},
            ConsistentRead=True,
        )
        item: dict[str, Any] = answer.get("Item", {})
        return {name: next(iter(value.values())) for name, value in item.items()}

    def _delete(self, table: str, key: str, value: str) -> None:
        patiently(self._client, "delete_item", TableName=table, Key={key: {"S": value}})


def business_topic(business_id: str) -> str:
    """The topic of a business's devices."""
    return f"business:{business_id}"


def status_topic(business_id: str) -> str:
    """The topic of those who want to know whether a business is open; also its row's id."""
    return f"merchant_status_{business_id}"


def becomes(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether the condition holds within so many seconds, asked again and again."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
