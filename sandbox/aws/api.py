"""A service's calls, with errors that say what was asked and what to do."""

import re
import threading
from collections.abc import Callable
from typing import Any, Final

from sandbox.aws.errors import CancelledError, CloudError, CloudUnreachableError, ProviderError

GONE: Final = frozenset(
    {
        "404",
        "NotFoundException",
        "ResourceNotFoundException",
        "ResourceNotFound",
        "NoSuchEntity",
        "NoSuchEntityException",
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        "DashboardNotFoundError",
    }
)
"""Codes by which the services say that what was asked for does not exist."""


def gone(error: Exception) -> bool:
    """Whether an error says that the thing does not exist."""
    return isinstance(error, CloudError) and error.code in GONE


class Api:
    """A service's calls, by the client's names, with errors that say what they are about."""

    def __init__(self, client: Any, endpoint: str, cancelled: threading.Event) -> None:
        self._client = client
        self._endpoint = endpoint
        self._cancelled = cancelled

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            from botocore.exceptions import (
                BotoCoreError,
                ClientError,
                HTTPClientError,
            )
            from botocore.exceptions import (
                ConnectionError as NoConnectionError,
            )

            spoken = self._client.meta.method_to_api_mapping.get(method, method)
            if self._cancelled.is_set():
                raise CancelledError(f"{spoken} was not sent: the operation was cancelled")
            try:
                return getattr(self._client, method)(**parameters)
            except ClientError as error:
                told = error.response.get("Error", {})
                raise CloudError(
                    spoken, str(told.get("Code", "?")), str(told.get("Message", "?"))
                ) from None
            except (HTTPClientError, NoConnectionError) as error:
                raise CloudUnreachableError(self._endpoint, spoken, type(error).__name__) from None
            except BotoCoreError as error:
                # A complaint about a parameter spells its value, which may be a secret.
                reason = re.sub(r", value: .*", "", str(error))
                raise ProviderError(f"{spoken}: {reason}") from None

        return call
