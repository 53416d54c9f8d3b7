"""The platform's own Lambdas, as far as they matter to us, defects included.

`$connect` writes every client down as a customer, `$disconnect` deletes the connection's row and
leaves its subscriptions behind, `$default` says that it has heard.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.gateway.routes import Route
from tests.gateway.tables import Table

CONNECTION_TTL = 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Handlers of the lifecycle routes."""

    connections: Table
    now: Callable[[], float]

    def routes(self) -> dict[str, Route]:
        return {
            "$connect": Route(handler=self.connect, function_name="platform-connect"),
            "$disconnect": Route(handler=self.disconnect, function_name="platform-disconnect"),
            "$default": Route(handler=self.default, function_name="platform-default", two_way=True),
        }

    def connect(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        request = event["requestContext"]
        query = event.get("queryStringParameters") or {}
        moment = datetime.fromtimestamp(request["connectedAt"] / 1000, UTC)
        connected_at = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row = {
            "connectionId": request["connectionId"],
            "entityType": "customer",
            "connectedAt": connected_at,
            "lastHeartbeat": connected_at,
            "isActive": True,
            "connectionType": "REAL",
            "ttl": int(self.now()) + CONNECTION_TTL,
        }
        claimed = {name: query[name] for name in ("userId", "businessId") if query.get(name)}
        self.connections.put({**row, **claimed})
        return {"statusCode": 200}

    def disconnect(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        self.connections.delete(event["requestContext"]["connectionId"])
        return {"statusCode": 200}

    def default(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        moment = datetime.fromtimestamp(self.now(), UTC).isoformat()
        body = {"action": "unknown_message_ack", "timestamp": moment}
        return {"statusCode": 200, "body": json.dumps(body)}
