"""What the environment tells the websocket handler, read in one place and checked once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

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
        """Read the environment. Raises KeyError, ValueError or msgspec.ValidationError."""
        orders = environment.get(Env.ORDERS_TABLE)
        return cls(
            connections=Table(name=environment[Env.CONNECTIONS_TABLE], key="connectionId"),
            subscriptions=Table(name=environment[Env.SUBSCRIPTIONS_TABLE], key="subscriptionId"),
            businesses=Table(name=environment[Env.BUSINESSES_TABLE], key="businessId"),
            orders=Table(name=orders, key="orderId") if orders else None,
            identity_mode=IdentityMode(environment.get(Env.IDENTITY_MODE, IdentityMode.TOKEN)),
            user_pools=_pools.decode(environment.get(Env.USER_POOLS, "[]")),
            former_functions=_functions.decode(environment.get(Env.FORMER_FUNCTIONS, "{}")),
        )


_pools: Final = msgspec.json.Decoder(tuple[UserPool, ...])
_functions: Final = msgspec.json.Decoder(dict[str, str])
