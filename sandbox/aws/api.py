"""A service's calls, with errors that say what was asked and what to do."""

import re
import threading
from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.errors import CancelledError, CloudError, CloudUnreachableError, ProviderError
from sandbox.aws.shapes import fitted

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
    """A service's calls, by the client's names, in the shapes that the service's model asks for."""

    def __init__(self, client: Any, endpoint: str, cancelled: threading.Event) -> None:
        self._client = client
        self._endpoint = endpoint
        self._cancelled = cancelled

    def _shape(self, method: str) -> Any:
        name = self._client.meta.method_to_api_mapping[method]
        return self._client.meta.service_model.operation_model(name).input_shape

    def takes(self, method: str) -> frozenset[str]:
        """Return the names of a call's parameters."""
        return frozenset(self._shape(method).members)

    def call(self, method: str, parameters: Mapping[str, Any]) -> Any:
        """Make a call with those of the parameters that it takes."""
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            HTTPClientError,
        )
        from botocore.exceptions import (
            ConnectionError as NoConnectionError,
        )

        spoken = self._client.meta.method_to_api_mapping[method]
        if self._cancelled.is_set():
            raise CancelledError(f"{spoken} was not sent: the operation was cancelled")
        try:
            answer = getattr(self._client, method)(**fitted(self._shape(method), parameters))
        except ClientError as error:
            told = error.response.get("Error", {})
            code, message = str(told.get("Code", "?")), str(told.get("Message", "?"))
            raise CloudError(spoken, code, message) from None
        except (HTTPClientError, NoConnectionError) as error:
            raise CloudUnreachableError(self._endpoint, spoken, type(error).__name__) from None
        except BotoCoreError as error:
            # A complaint about a parameter spells its value, which may be a secret.
            reason = re.sub(r", value: .*", "", str(error))
            raise ProviderError(f"{spoken}: {reason}") from None
        for failed in answer.get("FailedEntries") or ():
            raise CloudError(spoken, str(failed.get("ErrorCode")), str(failed.get("ErrorMessage")))
        return answer
