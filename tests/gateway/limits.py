"""API Gateway's fixed limits for WebSocket APIs; none of them can be raised.

Source: docs.aws.amazon.com/apigateway/latest/developerguide, page
apigateway-execution-service-websocket-limits-table.html
"""

from typing import Final

MESSAGE_BYTES: Final = 128 * 1024
"""A longer message closes the connection with 1009; a longer post is answered with 413."""

FRAME_BYTES: Final = 32 * 1024
"""A longer frame closes the connection with 1009; longer messages travel in several frames."""

IDLE_SECONDS: Final = 10 * 60
LIFETIME_SECONDS: Final = 2 * 60 * 60

INTEGRATION_SECONDS: Final = 29
"""The longest that the gateway waits for a Lambda."""
