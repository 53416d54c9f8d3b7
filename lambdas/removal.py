"""Removes what a connection that is gone has left in both tables.

Only rows of that connection are touched, whoever wrote them: an id is never given out again, so
nothing can hang on them any more. There is no index by connection; a connection's subscriptions are
found through its user, by what a subscription id is made of, and by the row that led to it.
"""

import os
from collections.abc import Iterable, Mapping

from lambdas import batches, clients
from lambdas.catalogue import Env
from lambdas.items import plain, text

USER_INDEX = "userId-topic-index"


def remove(gone: Mapping[str, str | None], *, topic: str | None = None) -> int:
    """Remove the rows of connections, and return how many rows were asked to go.

    `gone` maps each connection id to the id of the subscription row that led to it, if any; `topic`
    is the topic that they subscribed to. Raises botocore's ClientError and LeftOverError; asking
    again is safe.
    """
    connections = os.environ[Env.CONNECTIONS_TABLE]
    subscriptions = os.environ[Env.SUBSCRIPTIONS_TABLE]
    rows = batches.get(connections, "connectionId", gone, ("userId",))
    users = {user for row in rows.values() if (user := text(row, "userId")) is not None}
    doomed = {subscription for subscription in gone.values() if subscription is not None}
    if topic is not None:
        doomed.update(f"{connection_id}#{topic}" for connection_id in gone)
    for user in users:
        doomed.update(_subscriptions(subscriptions, user, gone))
    batches.delete(subscriptions, "subscriptionId", doomed)
    # Last: as long as the row is there, its user can be found once more.
    batches.delete(connections, "connectionId", rows)
    return len(doomed) + len(rows)


def _subscriptions(table: str, user: str, gone: Mapping[str, str | None]) -> Iterable[str]:
    pages = (
        clients.dynamodb()
        .get_paginator("query")
        .paginate(
            TableName=table,
            IndexName=USER_INDEX,
            KeyConditionExpression="userId = :user",
            ExpressionAttributeValues={":user": {"S": user}},
            ProjectionExpression="subscriptionId, connectionId",
        )
    )
    for page in pages:
        for item in page["Items"]:
            row = plain(item)
            subscription_id = text(row, "subscriptionId")
            if subscription_id is not None and row.get("connectionId") in gone:
                yield subscription_id
