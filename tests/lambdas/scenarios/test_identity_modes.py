"""Where the proof of identity comes from, by configuration: authorizer, or the platform's row."""

from collections.abc import Iterator, Mapping

import pytest

from sandbox.cloud import Cloud
from tests.gateway import backend as backends
from tests.gateway.backend import Backend
from tests.gateway.cognito import Cognito
from tests.gateway.events import Handshake


def authorize(handshake: Handshake) -> Mapping[str, object] | None:
    """An authorizer that reads who somebody is from a ticket, `merchant:m1`."""
    ticket = handshake.query.get("ticket", [""])[0]
    entity_type, _, sub = ticket.partition(":")
    if not sub:
        return None
    return {"sub": sub, "entityType": entity_type, "email_verified": False}


@pytest.fixture
def authorized(
    cloud: Cloud, cognito: Cognito, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backend]:
    with backends.running(
        cloud, cognito, monkeypatch, identity_mode="authorizer", authorizer=authorize
    ) as running:
        yield running
        assert running.gateway.crashes == []


@pytest.fixture
def trusting(cloud: Cloud, cognito: Cognito, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    with backends.running(cloud, cognito, monkeypatch, identity_mode="connection") as running:
        yield running
        assert running.gateway.crashes == []


def test_an_authorizer_proves_a_merchant_without_a_token(authorized: Backend) -> None:
    authorized.business("b1", owner="m1")
    device = authorized.device(ticket="merchant:m1")
    answer = device.ask("REGISTER_CONNECTION", businessId="b1")
    assert (answer["type"], answer["entityType"], answer["userId"]) == (
        "REGISTERED",
        "merchant",
        "m1",
    )
    assert device.ask("SUBSCRIBE_ORDERS", businessId="b1")["type"] == "SUBSCRIBED"


def test_what_an_authorizer_says_counts_and_what_the_message_says_does_not(
    authorized: Backend,
) -> None:
    authorized.business("b1", owner="m1")
    device = authorized.device(ticket="customer:m1")
    answer = device.ask("REGISTER_CONNECTION", businessId="b1", entityType="merchant")
    assert (answer["type"], answer["code"]) == ("ERROR", "forbidden")
    other = authorized.device(ticket="merchant:m2")
    assert other.ask("REGISTER_CONNECTION", businessId="b1")["code"] == "forbidden"
    token = authorized.cognito.merchants.token("m1")
    assert other.ask("REGISTER_CONNECTION", businessId="b1", token=token)["code"] == "forbidden"


def test_by_the_platforms_row_an_owner_is_a_merchant(trusting: Backend) -> None:
    trusting.business("b1", owner="m1")
    device = trusting.device(businessId="b1", userId="m1")
    answer = device.ask("REGISTER_CONNECTION", businessId="b1")
    assert (answer["type"], answer["entityType"]) == ("REGISTERED", "merchant")
    version = device.ask("BUSINESS_STATUS_UPDATE", businessId="b1", isActive=True)["version"]
    assert version == 1


def test_by_the_platforms_row_nobody_else_is(trusting: Backend) -> None:
    trusting.business("b1", owner="m1")
    device = trusting.device(businessId="b1", userId="m2")
    answer = device.ask("REGISTER_CONNECTION", businessId="b1", entityType="merchant")
    assert (answer["type"], answer["code"]) == ("ERROR", "forbidden")
