"""The platform's tables as programs and tests name them; `template.yaml` says what they are."""

from dataclasses import dataclass
from typing import Final

STAGE: Final = "sandbox"


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table."""

    name: str
    hash_key: str


CONNECTIONS: Final = Table(name=f"WizzUser_websocket_connections_{STAGE}", hash_key="connectionId")
SUBSCRIPTIONS: Final = Table(
    name=f"WizzUser_websocket_subscriptions_{STAGE}", hash_key="subscriptionId"
)
BUSINESSES: Final = Table(name=f"WhizzMerchants_Businesses_{STAGE}", hash_key="businessId")
ORDERS: Final = Table(name=f"WizzOrders_{STAGE}", hash_key="orderId")
TABLES: Final = (CONNECTIONS, SUBSCRIPTIONS, BUSINESSES, ORDERS)
