"""What a registration writes, by each kind of proof."""

from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.rows import CONNECTION_SECONDS, MARGIN_SECONDS, digest, seconds_of
from sandbox.cloud import Cloud
from tests.gateway import backend as backends
from tests.gateway.backend import Backend
from tests.gateway.cognito import Cognito
from tests.gateway.devices import Device

pytestmark = pytest.mark.cloud


@pytest.fixture
def trusting(cloud: Cloud, cognito: Cognito, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """A stack that believes what the platform's `$connect` wrote."""
    with backends.running(cloud, cognito, monkeypatch, identity_mode="connection") as running:
        running.business("b1", owner="m1")
        yield running


def row_of(backend: Backend, device: Device) -> dict[str, Any]:
    row = backend.tables.connections.get(device.connection_id)
    assert row is not None
    return row


def test_what_was_proved_stands_on_the_connections_row(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    device = backend.device(userId="somebody", businessId="b9")
    before = row_of(backend, device)
    answer = device.ask(
        "REGISTER_CONNECTION",
        token=backend.cognito.merchants.token("m1"),
        businessId="b1",
        entityType="customer",
        userId="somebody",
    )
    row = row_of(backend, device)
    assert answer["entityType"] == row["entityType"] == "merchant"
    assert answer["businessId"] == row["businessId"] == "b1"
    assert answer["userId"] == row["userId"] == "m1"
    assert answer["connectionId"] == device.connection_id
    assert row["registeredBy"] == "order-receiver"
    assert row["emailDigest"] == digest("m1@example.com")
    assert "m1@example.com" not in str(row)
    assert row["connectedAt"] == before["connectedAt"]
    connected_at = seconds_of(row["connectedAt"])
    assert connected_at is not None
    assert row["ttl"] == int(connected_at) + CONNECTION_SECONDS + MARGIN_SECONDS


def test_an_access_token_proves_the_same_but_an_address(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    device = backend.device()
    token = backend.cognito.merchants.access_token("m1")
    answer = device.ask("REGISTER_CONNECTION", token=token, businessId="b1")
    assert answer["type"] == "REGISTERED"
    assert "emailDigest" not in row_of(backend, device)


def test_a_business_can_be_owned_by_a_verified_address(backend: Backend) -> None:
    backend.tables.businesses.put({"businessId": "b1", "email": "M1@example.com"})
    device = backend.device()
    token = backend.cognito.merchants.token("m1")
    registered = device.ask("REGISTER_CONNECTION", token=token, businessId="b1")
    assert registered["type"] == "REGISTERED"
    assert device.ask("SUBSCRIBE_ORDERS", businessId="b1")["type"] == "SUBSCRIBED"


def test_an_unverified_address_owns_nothing(backend: Backend) -> None:
    backend.tables.businesses.put({"businessId": "b1", "email": "m1@example.com"})
    token = backend.cognito.merchants.token("m1", email_verified=False)
    answer = backend.device().ask("REGISTER_CONNECTION", token=token, businessId="b1")
    assert answer["code"] == "forbidden"


def test_what_a_customer_said_of_a_business_is_taken_off_the_row(backend: Backend) -> None:
    device = backend.device(businessId="b1", userId="c1")
    assert row_of(backend, device)["businessId"] == "b1"
    device.ask("REGISTER_CONNECTION", token=backend.cognito.customers.token("c1"))
    row = row_of(backend, device)
    assert row["entityType"] == "customer"
    assert "businessId" not in row


def test_a_merchant_has_to_say_which_business(backend: Backend) -> None:
    token = backend.cognito.merchants.token("m1")
    assert backend.device().ask("REGISTER_CONNECTION", token=token)["code"] == "invalid"


def test_a_registration_needs_a_token(backend: Backend) -> None:
    assert backend.device().ask("REGISTER_CONNECTION", businessId="b1")["code"] == "invalid"


def test_a_connection_that_is_on_record_no_more_is_not_brought_back(backend: Backend) -> None:
    device = backend.device()
    backend.tables.connections.delete(device.connection_id)
    token = backend.cognito.customers.token("c1")
    assert device.ask("REGISTER_CONNECTION", token=token)["code"] == "not_found"
    assert device.ask("HEARTBEAT")["reconnect"] is True
    assert device.ask("heartbeat")["reconnect"] is True
    assert backend.tables.connections.get(device.connection_id) is None


def test_a_merchant_of_two_businesses_serves_both_over_one_connection(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    backend.business("b2", owner="m1")
    device = backend.merchant("m1", "b1")
    assert device.ask("SUBSCRIBE_ORDERS", businessId="b2")["type"] == "SUBSCRIBED"
    backend.order("o2", businessId="b2")
    backend.deliver()
    device.expect("NEW_ORDER")


def test_after_a_logout_the_connection_is_free_for_another_user(backend: Backend) -> None:
    backend.business("b1", owner="m1")
    backend.business("b2", owner="m2")
    device = backend.merchant("m1", "b1")
    device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    token = backend.cognito.merchants.token("m2")
    fields = {"token": token, "businessId": "b2"}
    assert device.ask("REGISTER_CONNECTION", **fields)["code"] == "conflict"
    assert device.ask("MERCHANT_LOGOUT", businessId="b1")["type"] == "MERCHANT_LOGOUT_CONFIRMED"
    assert backend.subscriptions_of(device) == []
    assert device.ask("REGISTER_CONNECTION", **fields)["userId"] == "m2"


def test_trusting_the_platform_an_owner_is_a_merchant(trusting: Backend) -> None:
    device = trusting.device(userId="m1")
    answer = device.ask("REGISTER_CONNECTION", businessId="b1")
    assert (answer["entityType"], answer["businessId"]) == ("merchant", "b1")
    assert device.ask("SUBSCRIBE_ORDERS", businessId="b1")["type"] == "SUBSCRIBED"


def test_trusting_the_platform_nobody_else_is_a_merchant(trusting: Backend) -> None:
    stranger = trusting.device(userId="m2")
    claim = {"businessId": "b1", "entityType": "merchant"}
    assert stranger.ask("REGISTER_CONNECTION", **claim)["code"] == "forbidden"
    assert stranger.ask("REGISTER_CONNECTION")["entityType"] == "customer"
    assert stranger.ask("SUBSCRIBE_ORDERS", businessId="b1")["code"] == "forbidden"
