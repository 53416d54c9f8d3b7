"""How many AWS calls each message costs: the numbers of docs/protocol.md, and no more."""

from collections.abc import Callable
from typing import Any

import pytest

from lambdas import requests
from lambdas.reference.about import ABOUT
from lambdas.requests import Request
from lambdas.rows import business_topic, iso
from tests.gateway.backend import Backend
from tests.gateway.devices import Device

pytestmark = pytest.mark.cloud

MERCHANT_ROUTES: dict[type[Request], dict[str, Any]] = {
    requests.Ping: {},
    requests.MerchantHeartbeat: {},
    requests.Heartbeat: {},
    requests.SubscribeOrders: {"businessId": "b1"},
    requests.SubscribeBusinessStatus: {"businessId": "b1"},
    requests.UnsubscribeBusinessStatus: {"businessId": "b1"},
    requests.BusinessStatusUpdate: {"businessId": "b1", "isActive": True},
    requests.SubscribeOrder: {"orderId": "o1"},
    requests.MerchantLogout: {"businessId": "b1"},
}
"""In an order in which a merchant can send them."""

CUSTOMER_ROUTES: dict[type[Request], dict[str, Any]] = {
    requests.SubscribeBusinessStatus: {"businessId": "b1"},
    requests.SubscribeOrder: {"orderId": "o1", "filter": {"statuses": ["ready"]}},
    requests.SendOrderMessage: {"orderId": "o1", "to": "driver", "body": "hello"},
    requests.UnsubscribeOrder: {"orderId": "o1"},
    requests.UnsubscribeBusinessStatus: {"businessId": "b1"},
}


@pytest.fixture
def shop(backend: Backend) -> Backend:
    backend.business("b1", owner="m1")
    backend.order("o1", driverId="d1")
    backend.driver("d1")
    return backend


def cost(backend: Backend, act: Callable[[], dict[str, Any]]) -> list[str]:
    with backend.calls.counting() as calls:
        answer = act()
    assert answer.get("type") != "ERROR", answer
    return [call.operation for call in calls]


def cost_of(backend: Backend, device: Device, request: type[Request], fields: Any) -> list[str]:
    return cost(backend, lambda: device.ask(requests.action_of(request), **fields))


def test_a_registration_costs_what_is_written(shop: Backend) -> None:
    fields = {"token": shop.cognito.merchants.token("m1"), "businessId": "b1"}
    for device in (shop.device(), shop.device()):
        calls = cost_of(shop, device, requests.RegisterConnection, fields)
        assert len(calls) == ABOUT[requests.RegisterConnection].calls, calls
    assert len(shop.cognito.key_requests) <= 3, "keys are fetched once for each pool"


def test_each_message_of_a_merchant_costs_what_is_written(shop: Backend) -> None:
    device = shop.merchant("m1", "b1")
    for request, fields in MERCHANT_ROUTES.items():
        calls = cost_of(shop, device, request, fields)
        assert len(calls) == ABOUT[request].calls, (request, calls)
        assert "Scan" not in calls


def test_each_message_of_a_customer_costs_what_is_written(shop: Backend) -> None:
    device = shop.customer("c1")
    for request, fields in CUSTOMER_ROUTES.items():
        calls = cost_of(shop, device, request, fields)
        assert len(calls) == ABOUT[request].calls, (request, calls)
        assert "Scan" not in calls


def test_foreign_rows_cost_nothing(shop: Backend) -> None:
    topics = ("business:other", "merchant_status_other", "order:other")
    shop.tables.subscriptions.put_all(
        {
            "subscriptionId": f"foreign-{number}",
            "topic": topics[number % 3],
            "userId": "m1",
            "connectionId": f"foreign-{number}",
            "createdAt": iso(number),
        }
        for number in range(300)
    )
    device = shop.merchant("m1", "b1")
    for request, fields in MERCHANT_ROUTES.items():
        calls = cost_of(shop, device, request, fields)
        assert len(calls) == ABOUT[request].calls, (request, calls)


@pytest.mark.parametrize(("devices", "extra"), [(0, 0), (1, 0), (25, 0), (26, 1), (40, 15)])
def test_a_toggle_costs_one_more_for_each_device_beyond_25(
    shop: Backend, devices: int, extra: int
) -> None:
    shop.tables.subscriptions.put_all(
        {
            "subscriptionId": f"device-{number}_business_status_1",
            "topic": business_topic("b1"),
            "businessId": "b1",
            "subscriptionType": "business_status",
            "entityType": "customer",
            "isActive": False,
            "createdAt": iso(number),
        }
        for number in range(devices)
    )
    merchant = shop.merchant("m1", "b1")
    fields = {"businessId": "b1", "isActive": True}
    calls = cost_of(shop, merchant, requests.BusinessStatusUpdate, fields)
    assert len(calls) == ABOUT[requests.BusinessStatusUpdate].calls + extra, calls
    rows = [
        row
        for row in shop.tables.subscriptions.rows()
        if row.get("subscriptionType") == "business_status"
    ]
    assert len(rows) == max(devices, 1)
    assert {(row["isActive"], row["entityType"]) for row in rows} == {(True, "merchant")}


def test_a_refused_message_costs_no_more_than_a_served_one(shop: Backend) -> None:
    shop.business("b2", owner="m2")
    device = shop.merchant("m1", "b1")
    for action in ("SUBSCRIBE_ORDERS", "BUSINESS_STATUS_UPDATE", "MERCHANT_LOGOUT"):
        with shop.calls.counting() as calls:
            answer = device.ask(action, businessId="b2", isActive=True)
        assert answer["code"] == "forbidden"
        assert len(calls) == 1, (action, calls)
