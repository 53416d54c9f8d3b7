"""The arithmetic of a month: load in, bill items and distance to the account's limits out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

SECONDS_PER_HOUR: Final = 3600
CONNECTION_LIFE_HOURS: Final = 2
"""API Gateway ends every WebSocket connection after two hours."""
PEAK_FACTOR: Final = 3.0
"""The busiest second carries this many times the average of the open hours."""
SERIAL_SECONDS: Final = 0.015
"""Billed duration of one routed message, seconds."""
POSTS_PER_SECOND: Final = 2000
"""Posts of one fan-out worker with one vCPU, a second."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a month looks like; counts are of this app unless they say otherwise."""

    merchants: int = 1000
    """Merchant devices connected while their shop is open."""
    customers: int = 10000
    """Customer devices connected at the same time; the platform pays for them in either design."""
    hours_per_day: float = 12.0
    days: int = 30
    heartbeat_seconds: float = 300.0
    messages_per_merchant_per_day: float = 40.0
    """Registrations, subscriptions, toggles and order messages sent by a merchant's device."""
    orders_per_merchant_per_day: float = 30.0
    toggles_per_merchant_per_day: float = 2.0
    subscribers_per_business: int = 50
    """Customer connections that one toggle reaches."""

    def times(self, factor: int) -> Load:
        """The same month with `factor` times as many merchants and customers."""
        return replace(self, merchants=self.merchants * factor, customers=self.customers * factor)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the bill, US dollars a month."""

    item: str
    quantity: float
    separate: float
    shared: float


@dataclass(frozen=True, kw_only=True)
class LimitUse:
    """How much of one account limit the load uses, and which multiple of the load reaches it."""

    limit: str
    value: int
    raisable: bool
    used: float

    @property
    def reached_at(self) -> float:
        """The multiple of today's load at which the limit is reached."""
        return self.value / self.used if self.used else float("inf")


def bill(load: Load, prices: Mapping[str, float]) -> list[Line]:
    """The month's bill of the merchant app in either design.

    A separate API cannot reach customers' connections: every event for them is first handed to
    the platform (a queue message and a Lambda request more), which delivers it as the shared design
    does. The separate design also keeps its own connection rows, alarms and dashboard.
    """
    device_days = load.merchants * load.days
    minutes = device_days * load.hours_per_day * 60
    beats = device_days * load.hours_per_day * SECONDS_PER_HOUR / load.heartbeat_seconds
    inbound = device_days * load.messages_per_merchant_per_day
    toggles = device_days * load.toggles_per_merchant_per_day
    deliveries = toggles * load.subscribers_per_business
    orders = device_days * load.orders_per_merchant_per_day
    connects = device_days * max(1.0, load.hours_per_day / CONNECTION_LIFE_HOURS)
    # A request and its answer are a message each; an order is an event to its merchant and one
    # to its customer.
    messages = 2 * (beats + inbound) + 2 * orders + deliveries
    invocations = beats + inbound + orders + toggles + deliveries / 500
    gb_seconds = (beats + inbound + orders) * SERIAL_SECONDS * 0.5
    gb_seconds += deliveries / POSTS_PER_SECOND * 1.769
    writes = beats + 2 * connects + 3 * inbound
    reads = 2 * inbound + deliveries * 0.5
    handover = toggles + orders
    return [
        _line("WebSocket messages", messages, _messages(messages, prices)),
        _line(
            "connection minutes", minutes, minutes / 1e6 * prices["connection_minutes_per_million"]
        ),
        Line(
            item="Lambda requests",
            quantity=invocations,
            separate=(invocations + handover) / 1e6 * prices["lambda_requests_per_million"],
            shared=invocations / 1e6 * prices["lambda_requests_per_million"],
        ),
        _line(
            "Lambda GB-seconds",
            gb_seconds,
            gb_seconds / 1e6 * prices["lambda_gb_seconds_per_million_arm64"],
        ),
        Line(
            item="DynamoDB writes",
            quantity=writes,
            separate=(writes + 2 * connects) / 1e6 * prices["dynamodb_writes_per_million"],
            shared=writes / 1e6 * prices["dynamodb_writes_per_million"],
        ),
        _line("DynamoDB reads", reads, reads / 1e6 * prices["dynamodb_reads_per_million"]),
        Line(
            item="queue requests",
            quantity=3 * toggles,
            separate=(3 * toggles + 3 * handover) / 1e6 * prices["sqs_requests_per_million"],
            shared=3 * toggles / 1e6 * prices["sqs_requests_per_million"],
        ),
        Line(
            item="alarms and dashboard",
            quantity=1,
            separate=2 * (12 * prices["alarm_per_month"] + prices["dashboard_per_month"]),
            shared=12 * prices["alarm_per_month"] + prices["dashboard_per_month"],
        ),
    ]


def limits(load: Load, known: Mapping[str, tuple[int, bool]]) -> list[LimitUse]:
    """How near the busiest second comes to each account limit; the limit reached first on top."""
    open_seconds = load.hours_per_day * SECONDS_PER_HOUR
    devices = load.merchants + load.customers
    connects = devices / (CONNECTION_LIFE_HOURS * SECONDS_PER_HOUR) * PEAK_FACTOR
    beats = devices / load.heartbeat_seconds
    inbound = load.merchants * load.messages_per_merchant_per_day / open_seconds * PEAK_FACTOR
    toggles = load.merchants * load.toggles_per_merchant_per_day / open_seconds * PEAK_FACTOR
    posts = toggles * load.subscribers_per_business
    orders = load.merchants * load.orders_per_merchant_per_day / open_seconds * PEAK_FACTOR
    requests = connects + beats + inbound + posts + 2 * orders
    executions = (beats + inbound + orders) * SERIAL_SECONDS + posts / POSTS_PER_SECOND
    used = {
        "new_connections_per_second": connects,
        "requests_per_second": requests,
        "concurrent_lambda_executions": executions,
        "writes_per_second_of_one_partition": float(load.subscribers_per_business) / 60,
    }
    rows = [
        LimitUse(limit=name, value=known[name][0], raisable=known[name][1], used=rate)
        for name, rate in used.items()
    ]
    return sorted(rows, key=lambda row: row.reached_at)


def _line(item: str, quantity: float, usd: float) -> Line:
    return Line(item=item, quantity=quantity, separate=usd, shared=usd)


def _messages(count: float, prices: Mapping[str, float]) -> float:
    first = min(count, 1e9)
    rest = max(0.0, count - 1e9)
    return (
        first / 1e6 * prices["websocket_messages_per_million"]
        + rest / 1e6 * prices["websocket_messages_per_million_over_a_billion"]
    )
