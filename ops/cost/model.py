"""The arithmetic of a month: load in, bill items and distance to the account's limits out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

SECONDS_PER_HOUR: Final = 3600
CONNECTION_LIFE_HOURS: Final = 2
"""API Gateway ends every WebSocket connection after two hours."""
PEAK_FACTOR: Final = 3.0
"""The busiest second carries this many times the average of the open hours."""
SERIAL_SECONDS: Final = 0.015
"""Billed duration of one routed message, seconds."""
POSTS_PER_SECOND: Final = 2000
"""Posts of one fan-out worker with one vCPU, a second."""
SHARE: Final = 500
"""Connections that one invocation of the fan-out worker delivers to."""
WEBSOCKET_GB: Final = 0.5
FANOUT_GB: Final = 1.769
"""Memory of the Lambdas, GB."""
LOG_BYTES: Final = 600
"""What an invocation logs: Lambda's own three lines and one of ours."""
ALARMS: Final = 34
ONE_TOPIC: Final = "writes_per_second_of_one_topic"
"""All subscriptions of a topic are in one partition of the topics' index."""
RESUBSCRIBING_SECONDS: Final = 60
"""Within which a business's customers subscribe again after all of them were cut off at once."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a month looks like; counts are of this app unless they say otherwise."""

    merchants: int = 1000
    devices_per_merchant: int = 1
    """Connections of a merchant while the shop is open."""
    customers: int = 10000
    """Devices of the other apps connected at the same time; the platform pays for them either way,
    and the account's limits are shared with them."""
    hours_per_day: float = 12.0
    days: int = 30
    heartbeat_seconds: float = 300.0
    messages_per_merchant_per_day: float = 40.0
    """Registrations, subscriptions, toggles and order messages sent by a merchant's devices."""
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
    """How much of one limit the busiest second uses, and what has to grow how far to reach it."""

    limit: str
    value: int
    raisable: bool
    used: float
    grows_with: Literal["load", "fan-out"]
    """More merchants and customers, or more customers of one merchant."""

    @property
    def reached_at(self) -> float | None:
        """The multiple at which the limit is reached; None where nothing of it is used."""
        return self.value / self.used if self.used else None


def bill(load: Load, prices: Mapping[str, float]) -> list[Line]:
    """The month's bill of the merchant app in either design.

    A separate API cannot reach customers' connections: every event for them is first handed to
    the platform (a queue message and a Lambda request more), which delivers it as the shared design
    does. The separate design also answers for connecting and disconnecting, keeps its own
    connection rows, and has alarms and a dashboard of its own beside the platform's.
    """
    merchant_days = load.merchants * load.days
    device_days = merchant_days * load.devices_per_merchant
    minutes = device_days * load.hours_per_day * 60
    beats = device_days * load.hours_per_day * SECONDS_PER_HOUR / load.heartbeat_seconds
    inbound = merchant_days * load.messages_per_merchant_per_day
    toggles = merchant_days * load.toggles_per_merchant_per_day
    deliveries = toggles * load.subscribers_per_business
    orders = merchant_days * load.orders_per_merchant_per_day
    connects = device_days * max(1.0, load.hours_per_day / CONNECTION_LIFE_HOURS)
    # A request and its answer are a message each; an order is an event to each of its merchant's
    # devices and one to its customer.
    messages = 2 * (beats + inbound) + orders * (load.devices_per_merchant + 1) + deliveries
    invocations = beats + inbound + orders + toggles + deliveries / SHARE
    gb_seconds = (beats + inbound + orders) * SERIAL_SECONDS * WEBSOCKET_GB
    gb_seconds += deliveries / POSTS_PER_SECOND * FANOUT_GB
    writes = beats + 2 * connects + 3 * inbound
    reads = 2 * inbound + deliveries * 0.5
    queued = 3 * toggles
    handover = toggles + orders
    own = handover + 2 * connects

    def million(item: str, price: str, shared: float, more: float = 0) -> Line:
        """A line at a price for a million, and what the separate design has of it more."""
        each = prices[price] / 1e6
        return Line(
            item=item, quantity=shared, separate=(shared + more) * each, shared=shared * each
        )

    gigabytes = LOG_BYTES / 1e9
    watching = ALARMS * prices["alarm_per_month"] + prices["dashboard_per_month"]
    sent = _messages(messages, prices)
    return [
        Line(item="WebSocket messages", quantity=messages, separate=sent, shared=sent),
        million("connection minutes", "connection_minutes_per_million", minutes),
        million("Lambda requests", "lambda_requests_per_million", invocations, own),
        million("Lambda GB-seconds", "lambda_gb_seconds_per_million_arm64", gb_seconds),
        million("DynamoDB writes", "dynamodb_writes_per_million", writes, 2 * connects),
        million("DynamoDB reads", "dynamodb_reads_per_million", reads),
        million("queue requests", "sqs_requests_per_million", queued, 3 * handover),
        Line(
            item="GB of logs",
            quantity=invocations * gigabytes,
            separate=(invocations + own) * gigabytes * prices["log_gb"],
            shared=invocations * gigabytes * prices["log_gb"],
        ),
        Line(item="alarms and dashboard", quantity=1, separate=2 * watching, shared=watching),
    ]


def limits(load: Load, known: Mapping[str, tuple[int, bool]]) -> list[LimitUse]:
    """How near the busiest second comes to each limit; the one that is reached first on top."""
    open_seconds = load.hours_per_day * SECONDS_PER_HOUR
    devices = load.merchants * load.devices_per_merchant + load.customers

    def busiest(per_merchant_per_day: float) -> float:
        return load.merchants * per_merchant_per_day / open_seconds * PEAK_FACTOR

    connects = devices / (CONNECTION_LIFE_HOURS * SECONDS_PER_HOUR) * PEAK_FACTOR
    beats = devices / load.heartbeat_seconds
    inbound = busiest(load.messages_per_merchant_per_day)
    orders = busiest(load.orders_per_merchant_per_day)
    posts = busiest(load.toggles_per_merchant_per_day) * load.subscribers_per_business
    posts += orders * (load.devices_per_merchant + 1)
    used = {
        "new_connections_per_second": connects,
        "requests_per_second": connects + beats + inbound + posts,
        "concurrent_lambda_executions": (beats + inbound + orders) * SERIAL_SECONDS
        + posts / POSTS_PER_SECOND,
        "write_units_per_second_of_a_table": beats + 2 * connects + inbound,
    }
    topic = load.subscribers_per_business / RESUBSCRIBING_SECONDS
    rows = [
        LimitUse(
            limit=name,
            value=known[name][0],
            raisable=known[name][1],
            used=rate,
            grows_with="fan-out" if name == ONE_TOPIC else "load",
        )
        for name, rate in (used | {ONE_TOPIC: topic}).items()
    ]
    return sorted(rows, key=lambda row: row.reached_at or float("inf"))


def _messages(count: float, prices: Mapping[str, float]) -> float:
    first = min(count, 1e9)
    rest = max(0.0, count - 1e9)
    return (
        first / 1e6 * prices["websocket_messages_per_million"]
        + rest / 1e6 * prices["websocket_messages_per_million_over_a_billion"]
    )
