"""Reads who subscribed to a topic, and what the tables say about them now."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from time import time
from typing import TYPE_CHECKING, Final

from lambdas import batches, clients
from lambdas.audience import Admission, Subscription, subscription
from lambdas.catalogue import Env
from lambdas.items import plain
from lambdas.jobs import Anyone, Audience, Merchant, Parties
from lambdas.rows import Business, Order, Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef

TOPIC_INDEX: Final = "topic-createdAt-index"

_SUBSCRIPTION: Final = {
    "#id": "subscriptionId",
    "#connection": "connectionId",
    "#type": "subscriptionType",
    "#active": "isActive",
    "#created": "createdAt",
    "#ttl": "ttl",
    "#filter": "filter",
}
_CONNECTION: Final = (
    "connectedAt",
    "ttl",
    "userId",
    "entityType",
    "businessId",
    "registeredBy",
    "emailDigest",
)
_BUSINESS: Final = ("ownerId", "email", "isActive", "acceptingOrders", "statusVersion")
_ORDER: Final = ("businessId", "storeId", "customerId", "driverId", "status")


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of a topic's live subscriptions."""

    subscriptions: list[Subscription]
    next_key: dict[str, str] | None
    """Where the next page begins; None when this is the last one."""


def page(topic: str, start_key: dict[str, str] | None = None) -> Page:
    """One page of those who subscribed to the topic, some 5,000 rows, in one Query.

    The index is eventually consistent: who subscribed a moment ago may be missing, and learns the
    state from the answer to the subscription; who left a moment ago is told by a status of 410.
    """
    now = time()
    request: QueryInputTypeDef = {
        "TableName": os.environ[Env.SUBSCRIPTIONS_TABLE],
        "IndexName": TOPIC_INDEX,
        "KeyConditionExpression": "topic = :topic",
        "ProjectionExpression": ", ".join(_SUBSCRIPTION),
        "ExpressionAttributeNames": _SUBSCRIPTION,
        "ExpressionAttributeValues": {":topic": {"S": topic}},
    }
    if start_key is not None:
        request["ExclusiveStartKey"] = {name: {"S": value} for name, value in start_key.items()}
    answer = clients.dynamodb().query(**request)
    found = (subscription(plain(item), now) for item in answer["Items"])
    last = answer.get("LastEvaluatedKey")
    return Page(
        subscriptions=[one for one in found if one is not None],
        next_key={name: str(value) for name, value in plain(last).items()} if last else None,
    )


def admission(audience: Audience) -> Admission:
    """The audience with its order and business as they are now; no call for a public one."""
    match audience:
        case Anyone():
            return Admission(audience=audience)
        case Merchant(business_id=business_id):
            return Admission(audience=audience, business=businesses({business_id}).get(business_id))
        case Parties(order_id=order_id):
            order = orders({order_id}).get(order_id) or Order(
                order_id=order_id,
                business_id=audience.business_id,
                customer_id=audience.customer_id,
                driver_id=audience.driver_id,
                status=None,
            )
            business_id = order.business_id
            return Admission(
                audience=audience,
                order=order,
                business=businesses({business_id}).get(business_id) if business_id else None,
            )


def orders(ids: Iterable[str]) -> dict[str, Order]:
    """Who the parties of these orders are now, by order id; one call for up to a hundred."""
    rows = batches.get(os.environ[Env.ORDERS_TABLE], "orderId", ids, _ORDER)
    return {order_id: Order.of(row) for order_id, row in rows.items()}


def businesses(ids: Iterable[str]) -> dict[str, Business]:
    """Who owns these businesses now, by business id; one call for up to a hundred."""
    rows = batches.get(os.environ[Env.BUSINESSES_TABLE], "businessId", ids, _BUSINESS)
    return {business_id: Business.of(row) for business_id, row in rows.items()}


def connections(ids: Iterable[str]) -> dict[str, Row]:
    """The rows of these connections, by connection id; one call for up to a hundred."""
    found = batches.get(os.environ[Env.CONNECTIONS_TABLE], "connectionId", ids, _CONNECTION)
    return dict(found)
