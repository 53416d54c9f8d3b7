"""DynamoDB that throttles, fails or conflicts: a short while nobody notices, a long one is said."""

import pytest

from lambdas.outbox import OVERDUE_SECONDS
from tests.gateway.backend import Backend
from tests.gateway.calls import BROKEN, THROTTLED, THROTTLED_REQUESTS, Call, Refusal, conflict
from tests.gateway.devices import Device, Message

MESSAGES: list[tuple[str, dict[str, object]]] = [
    ("HEARTBEAT", {}),
    ("SUBSCRIBE_ORDERS", {"businessId": "b1"}),
    ("BUSINESS_STATUS_UPDATE", {"businessId": "b1", "isActive": True}),
    ("subscribe_business_status", {"businessId": "b1"}),
    ("unsubscribe_business_status", {"businessId": "b1"}),
    ("subscribe_order", {"orderId": "o1"}),
    ("order_message", {"orderId": "o1", "to": "customer", "body": "x"}),
    ("MERCHANT_LOGOUT", {"businessId": "b1"}),
]


@pytest.fixture
def device(backend: Backend) -> Device:
    backend.business("b1", owner="m1")
    backend.order("o1")
    backend.deliver()
    return backend.merchant("m1", "b1")


def served(answer: Message) -> bool:
    return answer.get("type") != "ERROR"


@pytest.mark.parametrize(("action", "fields"), MESSAGES, ids=[m[0] for m in MESSAGES])
@pytest.mark.parametrize("refusal", [THROTTLED, BROKEN], ids=["throttled", "broken"])
def test_one_refused_call_is_not_noticed(
    backend: Backend, device: Device, action: str, fields: dict[str, object], refusal: Refusal
) -> None:
    with backend.calls.counting():
        backend.calls.refuse = lambda _call, number: refusal if number == 0 else None
        assert served(device.ask(action, **fields))
    backend.calls.heal()


@pytest.mark.parametrize(("action", "fields"), MESSAGES, ids=[m[0] for m in MESSAGES])
def test_a_table_that_refuses_everything_makes_the_message_unavailable(
    backend: Backend, device: Device, action: str, fields: dict[str, object]
) -> None:
    before = backend.tables.snapshot()
    backend.calls.refuse = lambda call, _number: (
        None if call.operation == "SendMessage" else THROTTLED_REQUESTS
    )
    answer = device.ask(action, **fields)
    backend.calls.heal()
    assert (answer["type"], answer["code"]) == ("ERROR", "unavailable")
    assert "Throttling" not in answer["message"]
    assert backend.tables.snapshot() == before
    assert served(device.ask(action, **fields))


@pytest.mark.parametrize("action", ["BUSINESS_STATUS_UPDATE", "SUBSCRIBE_ORDERS"])
def test_a_queue_that_takes_nothing_loses_nothing(
    backend: Backend, device: Device, action: str
) -> None:
    customer = backend.customer("c1")
    customer.ask("subscribe_business_status", businessId="b1")
    fields: dict[str, object] = {"businessId": "b1"}
    if action == "BUSINESS_STATUS_UPDATE":
        fields["isActive"] = True
    backend.calls.refuse = lambda call, _number: (
        THROTTLED_REQUESTS if call.operation == "SendMessage" else None
    )
    answer = device.ask(action, **fields)
    backend.calls.heal()
    assert answer["code"] == "unavailable"
    backend.clock.advance(OVERDUE_SECONDS + 1)
    assert served(device.ask(action, **fields))
    backend.deliver()
    if action == "BUSINESS_STATUS_UPDATE":
        assert customer.expect("MERCHANT_STATUS_CHANGE")["data"]["isAcceptingOrders"] is True
    else:
        device.expect("NEW_ORDER")


def transactions(times: int, refusal: Refusal):
    seen = 0

    def choose(call: Call, _number: int) -> Refusal | None:
        nonlocal seen
        if not call.operation.startswith("Transact"):
            return None
        seen += 1
        return refusal if seen <= times else None

    return choose


@pytest.mark.parametrize(
    ("action", "fields"),
    [m for m in MESSAGES if m[0] != "HEARTBEAT"],
    ids=[m[0] for m in MESSAGES if m[0] != "HEARTBEAT"],
)
def test_a_few_conflicts_with_others_are_not_noticed(
    backend: Backend, device: Device, action: str, fields: dict[str, object]
) -> None:
    backend.calls.refuse = transactions(3, conflict(3))
    answer = device.ask(action, **fields)
    backend.calls.heal()
    assert served(answer), answer


def test_endless_conflicts_are_said_and_change_nothing(backend: Backend, device: Device) -> None:
    before = backend.tables.snapshot()
    backend.calls.refuse = transactions(1000, conflict(3))
    answer = device.ask("BUSINESS_STATUS_UPDATE", businessId="b1", isActive=True)
    backend.calls.heal()
    assert answer["code"] in ("conflict", "unavailable")
    assert backend.tables.snapshot() == before


@pytest.mark.parametrize("operation", ["Query", "BatchGetItem", "BatchWriteItem"])
def test_a_refusing_table_delays_a_delivery_and_loses_nothing(
    backend: Backend, device: Device, operation: str
) -> None:
    backend.gateway.faults.lose_disconnects = True
    device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.deliver()
    gone = backend.merchant("m1", "b1")
    gone.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.deliver()
    backend.leave(gone)
    seen = 0

    def choose(call: Call, _number: int) -> Refusal | None:
        nonlocal seen
        seen += call.operation == operation
        return THROTTLED if call.operation == operation and seen <= 4 else None

    backend.calls.refuse = choose
    backend.order("o2")
    backend.deliver()
    backend.calls.heal()
    device.wait(
        lambda m: m.get("type") == "NEW_ORDER" and m["payload"]["data"]["orderId"] == "o2",
        "the order",
    )
    assert backend.orders.dead_letters == []
