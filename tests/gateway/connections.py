"""The live connections of one gateway and what becomes of them with time."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from websockets.asyncio.server import ServerConnection

from tests.gateway import limits
from tests.gateway.events import Socket


@dataclass(kw_only=True)
class Connection:
    """One client; `wire` is there once `$connect` has finished and the upgrade went out."""

    socket: Socket
    last_active_at: float
    wire: ServerConnection | None = field(default=None)
    closing: bool = False
    posts: list[str] = field(default_factory=list)
    """What the management endpoint delivered, in order."""

    def overdue(self, now: float) -> str | None:
        """Why the gateway closes this connection by now, if it does."""
        if now - self.socket.connected_at >= limits.LIFETIME_SECONDS:
            return "Going away"
        if now - self.last_active_at >= limits.IDLE_SECONDS:
            return "Going away"
        return None


@dataclass(kw_only=True)
class Connections:
    """Only the gateway's loop touches this."""

    _by_id: dict[str, Connection] = field(default_factory=dict)

    def add(self, connection: Connection) -> None:
        self._by_id[connection.socket.connection_id] = connection

    def remove(self, connection_id: str) -> None:
        self._by_id.pop(connection_id, None)

    def established(self, connection_id: str) -> Connection | None:
        """The connection when messages can be posted to it: after `$connect`, before it closes."""
        connection = self._by_id.get(connection_id)
        if connection is None or connection.wire is None or connection.closing:
            return None
        return connection

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)
