"""The subscriptions of one connection: a row for each topic, and their list on its own row.

Both change together or not at all, so that whoever finds the connection's row also finds what hangs
on it, and a connection that is gone can never leave a new subscription behind.
"""

from collections.abc import Mapping

from lambdas import tables
from lambdas.exchange import Exchange
from lambdas.messages import EntityType, ErrorCode
from lambdas.refusal import Refusal
from lambdas.rows import OURS, SUBSCRIPTION_LIMIT, Connection, subscription_id
from lambdas.tables import CancelledError, Delete, Update, Value, Write


def subscribe(
    exchange: Exchange,
    connection: Connection,
    topic: str,
    facts: Mapping[str, Value],
) -> str:
    """Subscribe a connection to a topic and return the subscription's id; again is no error.

    `facts` are what the row says beside the connection and the topic. Raises Refusal.
    """
    try:
        tables.commit_patiently(subscribing(exchange, connection, topic, facts))
    except CancelledError:
        raise Refusal(
            ErrorCode.CONFLICT, "This connection has changed meanwhile: try again."
        ) from None
    return subscription_id(exchange.connection_id, topic)


def subscribing(
    exchange: Exchange, connection: Connection, topic: str, facts: Mapping[str, Value]
) -> tuple[Update, Update]:
    """The two writes of a subscription, that on the connection's row first.

    Raises Refusal: `conflict` when the connection has as many subscriptions as one may have.
    """
    if not has_room(connection, topic):
        raise Refusal(
            ErrorCode.CONFLICT,
            f"A connection may have {SUBSCRIPTION_LIMIT} subscriptions: end one first.",
        )
    return _listed(exchange, connection, topic), _row(exchange, connection, topic, facts)


def has_room(connection: Connection, topic: str) -> bool:
    """Whether the connection may subscribe to the topic, or has already."""
    return topic in connection.topics or len(connection.topics) < SUBSCRIPTION_LIMIT


def unsubscribe(exchange: Exchange, connection: Connection | None, topic: str) -> str:
    """End a subscription of this very connection and return its id; again is no error."""
    key = subscription_id(exchange.connection_id, topic)
    writes: list[Write] = [Delete(table=exchange.configuration.subscriptions, key=key)]
    if connection is not None:
        writes.append(
            Update(
                table=exchange.configuration.connections,
                key=exchange.connection_id,
                expression="DELETE #subscribedTopics :topics",
                condition="attribute_exists(#connectionId)",
                values={"topics": {topic}},
            )
        )
    try:
        tables.commit_patiently(writes)
    except CancelledError as cancelled:
        if not cancelled.failed:
            raise
        # The connection's row went just now, its list with it; the subscription is still to go.
        tables.commit_patiently(writes[:1])
    return key


def _listed(exchange: Exchange, connection: Connection, topic: str) -> Update:
    values: dict[str, Value] = {
        "topics": {topic},
        "topic": topic,
        "limit": SUBSCRIPTION_LIMIT,
        "now": exchange.timestamp,
    }
    holder = "attribute_exists(#connectionId) AND attribute_not_exists(#registeredBy)"
    if connection.identity is not None:
        holder = "#registeredBy = :ours AND #userId = :user"
        values |= {"ours": OURS, "user": connection.identity.user_id}
    return Update(
        table=exchange.configuration.connections,
        key=exchange.connection_id,
        expression="SET #lastUpdate = :now ADD #subscribedTopics :topics",
        condition=f"{holder} AND (attribute_not_exists(#subscribedTopics)"
        " OR size(#subscribedTopics) < :limit OR contains(#subscribedTopics, :topic))",
        values=values,
    )


def _row(
    exchange: Exchange, connection: Connection, topic: str, facts: Mapping[str, Value]
) -> Update:
    # Whoever is not registered is no more than what the platform takes everybody for.
    identity = connection.identity
    entity_type = identity.entity_type if identity else EntityType.CUSTOMER
    values: dict[str, Value] = {
        "connectionId": exchange.connection_id,
        "topic": topic,
        "entityType": entity_type,
        "userType": entity_type,
        "lastUpdate": exchange.timestamp,
        "ttl": exchange.last_second(connection),
        "writtenBy": OURS,
        **facts,
    }
    user_id = identity.user_id if identity else connection.claimed_user_id
    if user_id is not None:
        values["userId"] = user_id
    assignments = ", ".join(f"#{name} = :{name}" for name in values)
    return Update(
        table=exchange.configuration.subscriptions,
        key=subscription_id(exchange.connection_id, topic),
        expression=f"SET {assignments}, #createdAt = if_not_exists(#createdAt, :lastUpdate)"
        + ("" if "filter" in values else " REMOVE #filter"),
        values=values,
    )
