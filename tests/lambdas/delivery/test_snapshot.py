"""What a merchant's device gets right after it subscribed to its orders."""

import time
from typing import Any

import pytest

from lambdas import fanout, jobs, snapshot
from lambdas.jobs import Snapshot
from lambdas.rows import iso
from tests.lambdas.delivery.conftest import Place, soon


@pytest.fixture
def merchant(place: Place) -> str:
    place.tables.businesses.put({"businessId": "b1", "ownerId": "m1"})
    return place.connection("merchant", userId="m1", businessId="b1")


def order(place: Place, order_id: str, *, age: float = 0, **attributes: Any) -> None:
    row = {
        "orderId": order_id,
        "businessId": "b1",
        "status": "pending",
        "createdAt": iso(time.time() - age),
        **attributes,
    }
    place.tables.orders.put({k: v for k, v in row.items() if v is not None})


def asked(connection_id: str, correlation_id: str = "subscribe-1") -> Snapshot:
    return Snapshot(connection_id=connection_id, business_id="b1", correlation_id=correlation_id)


def sent(place: Place, connection_id: str) -> list[str]:
    return [message["payload"]["data"]["orderId"] for message in place.delivered(connection_id)]


def test_the_orders_that_wait_come_oldest_first(place: Place, merchant: str) -> None:
    order(place, "o2", age=10)
    order(place, "o1", age=20)
    order(place, "o3", age=5)
    fanout.run(asked(merchant), deadline=soon())
    assert sent(place, merchant) == ["o1", "o2", "o3"]
    assert {message["type"] for message in place.delivered(merchant)} == {"NEW_ORDER"}


def test_orders_under_either_name_of_the_business_come(place: Place, merchant: str) -> None:
    order(place, "o1", age=20, businessId=None, storeId="b1")
    order(place, "o2", age=10)
    order(place, "o3", storeId="b1")
    fanout.run(asked(merchant), deadline=soon())
    assert sent(place, merchant) == ["o1", "o2", "o3"]


def test_orders_that_do_not_wait_do_not_come(place: Place, merchant: str) -> None:
    order(place, "o1", status="confirmed")
    order(place, "o2", businessId="b2")
    order(place, "o3", age=snapshot.WINDOW_SECONDS + 60)
    fanout.run(asked(merchant), deadline=soon())
    assert place.stub.posts == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"entityType": "customer"},
        {"userId": "m2"},
        {"registeredBy": None},
        {"ttl": int(time.time()) - 1},
    ],
)
def test_who_is_not_the_merchant_when_it_is_sent_gets_nothing(
    place: Place, merchant: str, changes: dict[str, Any]
) -> None:
    order(place, "o1")
    row = {**(place.tables.connections.get(merchant) or {}), **changes}
    place.tables.connections.put({k: v for k, v in row.items() if v is not None})
    fanout.run(asked(merchant), deadline=soon())
    assert place.stub.posts == {}


def test_a_job_that_comes_twice_sends_once_and_one_that_is_asked_again_sends_again(
    place: Place, merchant: str
) -> None:
    order(place, "o1")
    fanout.run(asked(merchant, "first"), deadline=soon())
    fanout.run(asked(merchant, "first"), deadline=soon())
    assert sent(place, merchant) == ["o1"]
    fanout.run(asked(merchant, "second"), deadline=soon())
    assert sent(place, merchant) == ["o1", "o1"]


def test_the_rest_of_a_snapshot_goes_on_where_it_stopped(place: Place, merchant: str) -> None:
    for number in range(3):
        order(place, f"o{number}", age=10 - number)
    ticks = iter([0.0, 1e12])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "monotonic", lambda: next(ticks))
        fanout.run(asked(merchant), deadline=soon())
    assert sent(place, merchant) == ["o0"]
    (message,) = place.queue.peek()
    job = jobs.decode(message)
    assert isinstance(job, Snapshot)
    assert job.skip == 1
    place.queue.drain(fanout.handler)
    assert sent(place, merchant) == ["o0", "o1", "o2"]


def test_a_stage_without_orders_has_nothing_to_send(
    place: Place, merchant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORDERS_TABLE")
    fanout.run(asked(merchant), deadline=soon())
    assert place.stub.posts == {}


def test_a_device_that_has_gone_is_sent_no_more(place: Place, merchant: str) -> None:
    order(place, "o1", age=20)
    order(place, "o2", age=10)
    place.stub.answer = lambda *_: 410
    fanout.run(asked(merchant), deadline=soon())
    assert len(place.stub.posts[merchant]) == 1
    assert place.tables.connections.get(merchant) is None
