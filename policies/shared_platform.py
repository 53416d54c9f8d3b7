"""The shared WebSocket platform as the pack knows it: APIs, tables, route keys, per stage.

Defaults describe the live platform. A deployment of the pack may say otherwise through the
configuration of the policy `pack-is-in-order`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from policies.patterns import Pattern

LIFECYCLE_ROUTES: Final = ("$connect", "$disconnect", "$default")
"""Route keys that belong to the platform on every stage."""

PLATFORM_ROUTES: Final = (
    "heartbeat",
    "subscribe_business_status",
    "unsubscribe_business_status",
    "subscribe_order",
    "unsubscribe_order",
)
"""Route keys that the platform serves, unless it handed them over on a stage."""

CONNECTION_KEY: Final = "connectionId"
"""The partition key that makes a table one of connections."""

CONNECTION_INDEXES: Final = (
    "userId-connectedAt-index",
    "topic-createdAt-index",
    "userId-topic-index",
)
"""Indexes that only the shared tables need."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What is particular to one stage."""

    api_ids: tuple[str, ...] = ()
    handed_over_routes: tuple[str, ...] = ()
    """Platform routes that the platform lets applications serve here."""


DEFAULT_STAGES: Final[Mapping[str, Stage]] = {
    "dev": Stage(api_ids=("lwk0wf6rpl",)),
    "prod": Stage(),
    "sandbox": Stage(handed_over_routes=PLATFORM_ROUTES),
}


DEFAULT_API_NAME: Final = Pattern("WizzUser-WebSocket-*")
DEFAULT_TABLES: Final = (
    Pattern("WizzUser_websocket_connections_*"),
    Pattern("WizzUser_websocket_subscriptions_*"),
)


@dataclass(frozen=True, kw_only=True)
class SharedPlatform:
    """What belongs to the platform, as seen from one stage."""

    stage: str = ""
    stages: Mapping[str, Stage] = field(default_factory=lambda: DEFAULT_STAGES)
    api_name: Pattern = DEFAULT_API_NAME
    tables: tuple[Pattern, ...] = DEFAULT_TABLES
    routes: tuple[str, ...] = PLATFORM_ROUTES
    configured_api_id: str | None = None
    """The id that the stack's own configuration names as the shared API."""

    @property
    def api_ids(self) -> frozenset[str]:
        """Every id that is known to be a shared API, of whatever stage."""
        known = {api for stage in self.stages.values() for api in stage.api_ids}
        return frozenset(known | ({self.configured_api_id} if self.configured_api_id else set()))

    @property
    def own_api_ids(self) -> frozenset[str]:
        """The ids of this stage's shared API; empty where nobody said."""
        stage = self.stages.get(self.stage)
        if stage and stage.api_ids:
            return frozenset(stage.api_ids)
        return frozenset({self.configured_api_id} if self.configured_api_id else ())

    @property
    def reserved_routes(self) -> frozenset[str]:
        """Route keys that only the platform may serve on this stage, lifecycle routes aside."""
        stage = self.stages.get(self.stage)
        return frozenset(self.routes) - frozenset(stage.handed_over_routes if stage else ())
