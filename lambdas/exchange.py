"""One message being served: who sent it over which connection, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from lambdas.configuration import Configuration
from lambdas.rows import CONNECTION_SECONDS, MARGIN_SECONDS, Connection, iso, last_second


def correlation_id(context: Mapping[str, Any]) -> str:
    """What a message is known by, from its `requestContext`; empty where nothing is there."""
    return str(context.get("extendedRequestId") or context.get("requestId") or "")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What an action may know beside the message itself."""

    configuration: Configuration
    connection_id: str
    connected_at: float
    """Seconds since the epoch, as the gateway says."""
    authorizer: Mapping[str, Any]
    """What the authorizer of `$connect` said; the gateway makes a text of every value."""
    correlation_id: str
    now: float
    """Seconds since the epoch."""

    @classmethod
    def of(cls, context: Mapping[str, Any], configuration: Configuration, now: float) -> "Exchange":
        """Read the `requestContext` of an event."""
        connected_at = context.get("connectedAt")
        authorizer = context.get("authorizer")
        return cls(
            configuration=configuration,
            connection_id=str(context["connectionId"]),
            connected_at=connected_at / 1000 if isinstance(connected_at, int) else now,
            authorizer=(
                cast("Mapping[str, Any]", authorizer) if isinstance(authorizer, dict) else {}
            ),
            correlation_id=correlation_id(context),
            now=now,
        )

    @property
    def timestamp(self) -> str:
        """Now, as messages and rows write it."""
        return iso(self.now)

    def last_second(self, connection: Connection | None = None) -> int:
        """The `ttl` of what belongs to this connection, whose row may know its start better.

        A start that no open connection can have is not believed, whoever wrote it.
        """
        starts = [self.connected_at]
        if connection is not None and connection.connected_at is not None:
            starts.append(connection.connected_at)
        longest = CONNECTION_SECONDS + MARGIN_SECONDS
        return last_second(
            min((start for start in starts if 0 <= self.now - start <= longest), default=self.now)
        )
