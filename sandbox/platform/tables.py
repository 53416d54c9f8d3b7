"""The platform's tables as programs and tests name them; `template.yaml` says what they are."""

from typing import Final

STAGE: Final = "sandbox"
CONNECTIONS: Final = f"WizzUser_websocket_connections_{STAGE}"
SUBSCRIPTIONS: Final = f"WizzUser_websocket_subscriptions_{STAGE}"
BUSINESSES: Final = f"WhizzMerchants_Businesses_{STAGE}"
