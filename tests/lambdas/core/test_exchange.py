"""What the gateway says of a message, and until when a connection's rows may live."""

from typing import Any

import pytest

from lambdas.configuration import Configuration, ConfigurationError, IdentityMode, Table
from lambdas.exchange import Exchange
from lambdas.rows import Connection, iso, last_second

NOW = 1_800_000_000.0
CONFIGURATION = Configuration(
    connections=Table(name="connections", key="connectionId"),
    subscriptions=Table(name="subscriptions", key="subscriptionId"),
    businesses=Table(name="businesses", key="businessId"),
    orders=None,
    identity_mode=IdentityMode.TOKEN,
    user_pools=(),
    former_functions={},
)


def exchange(**context: Any) -> Exchange:
    facts = {"connectionId": "c=", "connectedAt": int((NOW - 60) * 1000), **context}
    return Exchange.of(facts, CONFIGURATION, NOW)


def row(connected_at: object) -> Connection:
    return Connection.of({"connectionId": "c=", "connectedAt": connected_at})


def test_rows_live_from_the_start_of_the_connection() -> None:
    assert exchange().last_second() == last_second(NOW - 60)


def test_the_earlier_of_two_starts_counts() -> None:
    assert exchange().last_second(row(iso(NOW - 300))) == last_second(NOW - 300)
    assert exchange().last_second(row(iso(NOW - 10))) == last_second(NOW - 60)


@pytest.mark.parametrize("written", [iso(0), iso(NOW + 3600), iso(NOW - 86_400), "soon", None, 7])
def test_a_start_that_cannot_be_is_not_believed(written: object) -> None:
    assert exchange().last_second(row(written)) == last_second(NOW - 60)


@pytest.mark.parametrize("claimed", [0, None, "x", int((NOW + 3600) * 1000)])
def test_without_a_start_that_can_be_the_connection_is_as_young_as_the_message(
    claimed: object,
) -> None:
    assert exchange(connectedAt=claimed).last_second() == last_second(NOW)


def test_an_authorizer_that_is_no_object_says_nothing() -> None:
    assert exchange(authorizer="merchant").authorizer == {}
    assert exchange(authorizer={"sub": "u1"}).authorizer == {"sub": "u1"}


@pytest.mark.parametrize(
    "environment",
    [
        {"IDENTITY_MODE": "trust"},
        {"USER_POOLS": "[{}]"},
        {"USER_POOLS": ""},
        {"FORMER_FUNCTIONS": "[]"},
        {"BUSINESSES_TABLE": ""},
    ],
)
def test_an_environment_that_makes_no_sense_is_an_error(environment: dict[str, str]) -> None:
    names = {
        "WEBSOCKET_CONNECTIONS_TABLE": "c",
        "WEBSOCKET_SUBSCRIPTIONS_TABLE": "s",
        "BUSINESSES_TABLE": "b",
    }
    assert Configuration.of(names).identity_mode is IdentityMode.TOKEN
    with pytest.raises(ConfigurationError) as caught:
        Configuration.of(names | environment)
    assert [caught.value.variable] == list(environment)
