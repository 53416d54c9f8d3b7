"""A day's work for each Lambda: all that needs a right, and what of it did not come about."""

from collections.abc import Iterable
from time import time
from typing import Any

from msgspec import Raw

from lambdas import jobs
from lambdas.catalogue import FANOUT, JANITOR, ORDER_EVENTS, WEBSOCKET
from lambdas.delivery import REMOVED_AT_ONCE
from lambdas.jobs import Anyone, Broadcast, Direct, Event, Job, Merchant, Note, Removal, Snapshot
from lambdas.rows import (
    OURS,
    business_topic,
    iso,
    order_topic,
    status_topic,
    subscription_id,
)
from tests.gateway.devices import Device
from tests.gateway.shared_tables import CONNECTIONS, ORDERS, SUBSCRIPTIONS
from tests.gateway.tables import to_image
from tests.lambdas.attack.guarded import Guarded, RaisedError

CUSTOMER = "guarded-customer"


# --- websocket ------------------------------------------------------------------------------------


def websocket(guarded: Guarded) -> list[str]:
    """What a merchant and a driver were refused."""
    cloud, platform, shop = guarded.cloud, guarded.platform, guarded.business
    order_id, customer = guarded.fresh("order"), guarded.fresh("customer")
    driver_id = platform.user("driver1").user_id
    _put_order(guarded, order_id, driverId=driver_id, customerId=customer)
    (gone,) = _gone(guarded, 1, customer=customer)
    message: dict[str, Any] = {"orderId": order_id, "body": "x"}
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("merchant1", "REGISTER_CONNECTION", {"businessId": shop}),
        ("driver1", "REGISTER_CONNECTION", {}),
        ("merchant1", "SUBSCRIBE_ORDERS", {"businessId": shop}),
        ("merchant1", "BUSINESS_STATUS_UPDATE", {"businessId": shop, "isActive": True}),
        ("merchant1", "BUSINESS_STATUS_UPDATE", {"businessId": shop, "isActive": False}),
        ("driver1", "order_message", {**message, "to": "merchant"}),
        ("driver1", "order_message", {**message, "to": "customer"}),
        ("merchant1", "MERCHANT_LOGOUT", {"businessId": shop}),
    ]
    missing: list[str] = []
    with Device(url=guarded.url) as merchant, Device(url=guarded.url) as driver:
        devices = {"merchant1": merchant, "driver1": driver}
        for name, action, fields in steps:
            proof = {"token": platform.token(cloud, name)} if action.startswith("REG") else {}
            answer = devices[name].ask(action, **fields, **proof)
            if answer.get("type") == "ERROR":
                missing.append(f"{action}: {answer}")
            elif fields.get("to") == "merchant" and not answer["delivered"]:
                missing.append("the merchant was not reached")
    if guarded.table(CONNECTIONS.name).get(gone) is not None:
        missing.append("the row of a connection that is gone stays")
    foreign = {
        "requestContext": {"routeKey": "$default", "connectionId": gone, "requestId": "r"},
        "body": '{"action": "not_ours"}',
    }
    if guarded.invoke(WEBSOCKET, foreign).get("body") != "heard":
        missing.append("a foreign message was not passed on")
    return missing


# --- fanout ---------------------------------------------------------------------------------------


def fanout(guarded: Guarded) -> list[str]:
    """What of each kind of job did not come about."""
    shop = guarded.business
    waiting = guarded.fresh("waiting")
    _put_order(guarded, waiting, status="pending")
    gone = _gone(guarded, REMOVED_AT_ONCE + 2)
    news, letters = (_event(guarded, "NEW_ORDER"), _event(guarded, "LETTER"))
    with guarded.merchant() as device:
        work: dict[str, Job] = {
            "broadcast": Broadcast(
                topic=business_topic(shop),
                event=news,
                audience=Merchant(business_id=shop),
                correlation_id=news.id,
                told=Note(business_id=shop, version=0),
            ),
            "snapshot": Snapshot(
                connection_id=device.connection_id, business_id=shop, correlation_id=waiting
            ),
            "removal": Removal(gone={gone[0]: None}, correlation_id="removal"),
            "many gone": Direct(
                connection_ids=tuple(gone[1:]),
                event=letters,
                audience=Anyone(),
                correlation_id="many gone",
            ),
        }
        result = guarded.invoke(
            FANOUT,
            {"Records": [{"messageId": n, "body": jobs.encode(job)} for n, job in work.items()]},
        )
        missing = [f"{one['itemIdentifier']} failed" for one in result["batchItemFailures"]]
        missing += [
            f"{one} did not come" for one in (news.id, waiting) if not guarded.has_had(device, one)
        ]
    guarded.table(ORDERS.name).delete(waiting)
    return missing


# --- order_events ---------------------------------------------------------------------------------


def order_events(guarded: Guarded) -> list[str]:
    """What a batch of the stream did not bring about."""
    new, few, many = (guarded.fresh(name) for name in ("new", "few", "many"))
    for order_id in (new, few, many):
        _put_order(guarded, order_id)
    (gone,) = _gone(guarded, 1, order_topic(few))
    _gone(guarded, REMOVED_AT_ONCE + 1, order_topic(many))
    unreadable = _record(guarded, "INSERT", {"status": "pending"})
    records = [
        _record(guarded, "INSERT", _order(guarded, new, status="pending")),
        _record(guarded, "MODIFY", _order(guarded, few)),
        _record(guarded, "MODIFY", _order(guarded, many)),
        unreadable,
    ]
    with guarded.merchant() as device:
        result = guarded.invoke(ORDER_EVENTS, {"Records": records})
        missing = [f"{one} failed" for one in result["batchItemFailures"]]
        if not guarded.has_had(device, new):
            missing.append("the new order did not come")
    if guarded.table(CONNECTIONS.name).get(gone) is not None:
        missing.append("the row of a connection that is gone stays")
    for order_id in (new, few, many):
        guarded.table(ORDERS.name).delete(order_id)
    return missing


# --- janitor --------------------------------------------------------------------------------------


def janitor(guarded: Guarded) -> list[str]:
    """What a sweep left lying."""
    subscriptions = guarded.table(SUBSCRIPTIONS.name)
    topic = order_topic(guarded.fresh("order"))
    (gone,) = _gone(guarded, 1, topic)
    guarded.table(CONNECTIONS.name).delete(gone)
    overdue = guarded.fresh("business")
    subscriptions.put(
        {
            "subscriptionId": status_topic(overdue),
            "businessId": overdue,
            "isActive": True,
            "changedAt": int(time()) - 600,
            "changedVersion": 1,
            "untoldSince": int(time()) - 600,
        }
    )
    missing: list[str] = []
    try:
        guarded.invoke(JANITOR, {})
    except RaisedError as error:
        missing.append(str(error))
    if subscriptions.get(subscription_id(gone, topic)) is not None:
        missing.append("a subscription without a connection stays")
    if not any(overdue in body for body in guarded.queue.peek()):
        missing.append("an overdue change was not queued")
    guarded.queue.clear()
    subscriptions.delete(status_topic(overdue))
    subscriptions.delete(subscription_id(gone, topic))
    return missing


# --- What they find -------------------------------------------------------------------------------


def _event(guarded: Guarded, type_: str) -> Event:
    event_id = guarded.fresh(type_.lower())
    body = Raw(b'{"type": "%s", "eventId": "%s"}' % (type_.encode(), event_id.encode()))
    return Event(
        id=event_id,
        type=type_,
        occurred_at=int(time() * 1000),
        bodies={jobs.ANYONE: body},
    )


def _order(guarded: Guarded, order_id: str, **attributes: str) -> dict[str, Any]:
    return {
        "orderId": order_id,
        "businessId": guarded.business,
        "customerId": CUSTOMER,
        "status": "confirmed",
        "createdAt": iso(time()),
        **attributes,
    }


def _put_order(guarded: Guarded, order_id: str, **attributes: str) -> None:
    guarded.table(ORDERS.name).put(_order(guarded, order_id, **attributes))


def _record(guarded: Guarded, name: str, row: dict[str, Any]) -> dict[str, Any]:
    number = guarded.fresh("record")
    change: dict[str, Any] = {"SequenceNumber": number, "NewImage": to_image(row)}
    if name == "MODIFY":
        change["OldImage"] = to_image({**row, "status": "pending"})
    return {"eventID": number, "eventName": name, "dynamodb": change}


def _gone(
    guarded: Guarded, number: int, topic: str | None = None, *, customer: str = CUSTOMER
) -> list[str]:
    """Connections of a customer that registered, perhaps subscribed, and went without a word."""
    now = time()
    ids = [guarded.fresh("gone") for _ in range(number)]
    life = {"createdAt": iso(now), "connectedAt": iso(now), "ttl": int(now) + 3600}
    guarded.table(CONNECTIONS.name).put_all(
        {
            "connectionId": one,
            "userId": customer,
            "entityType": "customer",
            "registeredBy": OURS,
            **({} if topic is None else {"subscribedTopics": {topic}}),
            **life,
        }
        for one in ids
    )
    if topic is not None:
        _subscribe(guarded, ids, topic, life)
    return ids


def _subscribe(
    guarded: Guarded, ids: Iterable[str], topic: str, life: dict[str, str | int]
) -> None:
    guarded.table(SUBSCRIPTIONS.name).put_all(
        {
            "subscriptionId": subscription_id(one, topic),
            "connectionId": one,
            "topic": topic,
            "writtenBy": OURS,
            **life,
        }
        for one in ids
    )
