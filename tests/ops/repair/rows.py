"""Rows as the former handler and the platform left them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

BUSINESS = "business_1"
OWNER = "user-1"


def at(seconds_ago: float) -> str:
    """The time so many seconds ago, as rows have it."""
    return datetime.fromtimestamp(time.time() - seconds_ago, UTC).isoformat()


def connection(key: str = "m1=", **other: Any) -> dict[str, Any]:
    """A merchant's connection that the platform took for a customer's."""
    row = {
        "connectionId": key,
        "businessId": BUSINESS,
        "userId": OWNER,
        "entityType": "customer",
        "connectedAt": at(60),
        "ttl": int(time.time()) + 3600,
    } | other
    return {name: value for name, value in row.items() if value is not None}


def subscription(key: str = "m1=_business_status_1", **other: Any) -> dict[str, Any]:
    """A merchant's subscription as the former handler wrote it."""
    row = {
        "subscriptionId": key,
        "connectionId": key.split("_", 1)[0],
        "businessId": BUSINESS,
        "userId": OWNER,
        "subscriptionType": "business_status",
        "entityType": "merchant",
        "userType": "merchant",
        "topic": f"business:{BUSINESS}",
        "isActive": True,
        "createdAt": at(50),
    } | other
    return {name: value for name, value in row.items() if value is not None}


def abandoned(key: str = "merchant_business_1_user-1") -> dict[str, Any]:
    """A row of the former handler that belongs to no connection."""
    return {
        "subscriptionId": key,
        "entityType": "merchant",
        "entityId": BUSINESS,
        "status": "online",
        "topic": f"merchant_status_{BUSINESS}",
        "isActive": True,
        "lastUpdate": at(86400),
    }
