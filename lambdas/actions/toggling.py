"""What one toggle writes, decided from what was read: nothing here talks to DynamoDB."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lambdas import subscriptions
from lambdas.actions.businesses import business_status_facts, current_version
from lambdas.exchange import Exchange
from lambdas.messages import EntityType
from lambdas.requests import BusinessStatusUpdate
from lambdas.rows import (
    STATUS_ROW_SECONDS,
    Business,
    Connection,
    Row,
    business_topic,
    status_topic,
    subscription_id,
)
from lambdas.tables import Update, Value, Write

ROWS_AT_ONCE: Final = 25
"""Rows of devices that change in the transaction itself; each further one is a call of its own."""


@dataclass(frozen=True, kw_only=True)
class State:
    """What stands in the tables before a toggle."""

    connection: Connection
    business: Business
    status_row: Row | None

    @property
    def version(self) -> int:
        """Version of the last toggle."""
        return current_version(self.business, self.status_row)

    def differs_from(self, is_active: bool) -> bool:
        """Whether customers would learn anything new."""
        flags = (self.business.is_active, self.business.accepting_orders)
        return flags != (is_active, is_active)


def toggling(
    request: BusinessStatusUpdate, exchange: Exchange, state: State, devices: Sequence[str]
) -> list[Write]:
    """The writes of one toggle; all of them happen, or none.

    `devices` are the ids of the business_status rows that were found; those beyond ROWS_AT_ONCE
    follow later.
    """
    writes: list[Write] = [
        _business(request, exchange, state),
        _status(request, exchange, state),
        *(following(key, request, exchange, state.version + 1) for key in devices[:ROWS_AT_ONCE]),
    ]
    topic = business_topic(request.business_id)
    own = subscription_id(state.connection.connection_id, topic)
    # An index may not show yet what this very connection has just written.
    is_hidden = topic in state.connection.topics and own not in devices
    if is_hidden or (not devices and subscriptions.has_room(state.connection, topic)):
        facts = business_status_facts(request.business_id, is_active=request.is_active)
        facts["version"] = state.version + 1
        writes += subscriptions.subscribing(exchange, state.connection, topic, facts)
    return writes


def _business(request: BusinessStatusUpdate, exchange: Exchange, state: State) -> Update:
    return Update(
        table=exchange.configuration.businesses,
        key=request.business_id,
        expression="SET #isActive = :active, #acceptingOrders = :active, #statusVersion = :version,"
        " #updatedAt = :now, #lastStatusUpdate = :now",
        condition="attribute_exists(#businessId) AND "
        + ("#statusVersion = :seen" if state.business.version else _NEVER_TOGGLED),
        values={
            "active": request.is_active,
            "version": state.version + 1,
            "seen": state.business.version,
            "now": exchange.timestamp,
        },
    )


_NEVER_TOGGLED: Final = "attribute_not_exists(#statusVersion)"


def _status(request: BusinessStatusUpdate, exchange: Exchange, state: State) -> Update:
    # Whatever was read must still be there, also where another writer left something odd.
    seen = (state.status_row or {}).get("version")
    values: dict[str, Value] = {
        "active": request.is_active,
        "version": state.version + 1,
        "merchant": EntityType.MERCHANT,
        "type": "merchant_status",
        "business": request.business_id,
        "topic": status_topic(request.business_id),
        "now": exchange.timestamp,
        "ttl": int(exchange.now) + STATUS_ROW_SECONDS,
    }
    if seen is not None:
        values["seen"] = seen
    expression = (
        "SET #isActive = :active, #version = :version, #entityType = :merchant,"
        " #userType = :merchant, #subscriptionType = :type, #businessId = :business,"
        " #topic = :topic, #lastUpdate = :now, #ttl = :ttl,"
        " #createdAt = if_not_exists(#createdAt, :now)"
    )
    if state.differs_from(request.is_active):
        expression += ", #changedVersion = :version, #changedAt = :since, #untoldSince = :since"
        values["since"] = int(exchange.now)
    return Update(
        table=exchange.configuration.subscriptions,
        key=status_topic(request.business_id),
        expression=expression,
        condition="#version = :seen" if "seen" in values else "attribute_not_exists(#version)",
        values=values,
    )


def following(key: str, request: BusinessStatusUpdate, exchange: Exchange, version: int) -> Update:
    """The row of a device follows; one that is not there any more does not come back."""
    return Update(
        table=exchange.configuration.subscriptions,
        key=key,
        expression="SET #isActive = :active, #entityType = :merchant, #userType = :merchant,"
        " #version = :version, #lastUpdate = :now",
        condition="attribute_exists(#subscriptionId)",
        values={
            "active": request.is_active,
            "merchant": EntityType.MERCHANT,
            "version": version,
            "now": exchange.timestamp,
        },
    )
