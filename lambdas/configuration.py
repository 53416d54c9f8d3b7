"""What the environment tells the websocket handler, read in one place and checked once."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

import msgspec

from lambdas.catalogue import Env
from lambdas.messages import EntityType


class IdentityMode(StrEnum):
    """Where the proof of who holds a connection comes from."""

    TOKEN = "token"  # noqa: S105
    AUTHORIZER = "authorizer"
    CONNECTION = "connection"


class UserPool(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A Cognito user pool; whoever holds a token of it is of its entity type."""

    id: str
    issuer: str
    client_ids: tuple[str, ...]
    entity_type: EntityType
    jwks_url: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table and its hash key."""

    name: str
    key: str


class ConfigurationError(Exception):
    """The environment lacks a variable, or says in it what makes no sense."""

    def __init__(self, variable: str) -> None:
        super().__init__(f"{variable} is missing or cannot be read")
        self.variable = variable


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Everything that the websocket handler is told."""

    connections: Table
    subscriptions: Table
    businesses: Table
    orders: Table | None
    """None where the stack has no orders table."""
    identity_mode: IdentityMode
    user_pools: tuple[UserPool, ...]
    former_functions: Mapping[str, str]
    """Lifecycle route key -> the platform's Lambda that served it before."""

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> "Configuration":
        """Read the environment. Raises ConfigurationError."""
        orders = environment.get(Env.ORDERS_TABLE)

        def table(variable: Env, key: str) -> Table:
            return _read(environment, variable, lambda name: Table(name=name, key=key))

        return cls(
            connections=table(Env.CONNECTIONS_TABLE, "connectionId"),
            subscriptions=table(Env.SUBSCRIPTIONS_TABLE, "subscriptionId"),
            businesses=table(Env.BUSINESSES_TABLE, "businessId"),
            orders=Table(name=orders, key="orderId") if orders else None,
            identity_mode=_read(environment, Env.IDENTITY_MODE, IdentityMode, "token"),
            user_pools=_read(environment, Env.USER_POOLS, _pools.decode, "[]"),
            former_functions=_read(environment, Env.FORMER_FUNCTIONS, _functions.decode, "{}"),
        )


_T = TypeVar("_T")


def _read(
    environment: Mapping[str, str], variable: Env, read: Callable[[str], _T], default: str = ""
) -> _T:
    text = environment.get(variable, default)
    if not text:
        raise ConfigurationError(variable)
    try:
        return read(text)
    except ValueError as error:
        raise ConfigurationError(variable) from error


_pools: Final = msgspec.json.Decoder(tuple[UserPool, ...])
_functions: Final = msgspec.json.Decoder(dict[str, str])
