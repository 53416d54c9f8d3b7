"""The tables that a stack shares with the platform, as the sandbox names them, with their keys."""

from dataclasses import dataclass
from typing import Final

from sandbox.platform import tables


@dataclass(frozen=True, kw_only=True)
class SharedTable:
    """One table."""

    name: str
    hash_key: str


CONNECTIONS: Final = SharedTable(name=tables.CONNECTIONS, hash_key="connectionId")
SUBSCRIPTIONS: Final = SharedTable(name=tables.SUBSCRIPTIONS, hash_key="subscriptionId")
BUSINESSES: Final = SharedTable(name=tables.BUSINESSES, hash_key="businessId")
ORDERS: Final = SharedTable(name=f"WizzOrders_{tables.STAGE}", hash_key="orderId")
TABLES: Final = (CONNECTIONS, SUBSCRIPTIONS, BUSINESSES, ORDERS)
