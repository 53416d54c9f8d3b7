"""The platform's `$default`: it acknowledges whatever no route took, and does nothing about it."""

import json
from datetime import UTC, datetime
from typing import Any


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer `unknown_message_ack`."""
    try:
        message = json.loads(event.get("body") or "null")
    except ValueError:
        message = None
    known = message if isinstance(message, dict) else {}
    answer = {
        "action": "unknown_message_ack",
        "originalAction": known.get("action") or known.get("type"),
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    return {"statusCode": 200, "body": json.dumps(answer)}
