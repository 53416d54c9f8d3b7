"""Removes what a connection that is gone has left in both tables.

Only rows of that connection are touched: its own, those of the topics that its row lists, and the
subscription that led to it, whoever wrote that one. A connection id is never given out again, so
nothing can hang on these rows any more.
"""

import os
from collections.abc import Mapping
from typing import cast

from lambdas import batches
from lambdas.catalogue import Env
from lambdas.rows import subscription_id


def remove(gone: Mapping[str, str | None]) -> int:
    """Remove the rows of connections, and return how many rows were asked to go.

    `gone` maps each connection id to the id of the subscription that led to it, if any. Raises
    botocore's ClientError and LeftOverError; asking again is safe.
    """
    connections = os.environ[Env.CONNECTIONS_TABLE]
    rows = batches.get(connections, "connectionId", gone, ("subscribedTopics",))
    doomed = {subscription for subscription in gone.values() if subscription is not None}
    for connection_id, row in rows.items():
        topics = row.get("subscribedTopics")
        if isinstance(topics, set):
            doomed.update(
                subscription_id(connection_id, topic) for topic in cast("set[str]", topics)
            )
    batches.delete(os.environ[Env.SUBSCRIPTIONS_TABLE], "subscriptionId", doomed)
    # Last: as long as the row is there, its topics can be read once more.
    batches.delete(connections, "connectionId", rows)
    return len(doomed) + len(rows)
