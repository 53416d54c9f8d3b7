"""What goes wrong in the provider, each with what a reader needs to put it right."""

from typing import Any


class ProviderError(Exception):
    """A failure that the provider foresees; its text is shown as it is, without a traceback."""


class UnknownTokenError(ProviderError):
    """A type or look-up that the sandbox does not have."""

    def __init__(self, what: str, token: str, known: list[str]) -> None:
        family = token.split("/", maxsplit=1)[0]
        near = [each for each in known if each.startswith(f"{family}/")]
        super().__init__(f"the sandbox has no {what} {token}; it has {', '.join(near or known)}")


class CloudError(ProviderError):
    """A call that the sandbox's cloud refused."""

    def __init__(self, call: str, code: str, message: str) -> None:
        super().__init__(f"{call} was refused: {code}: {message}")
        self.code = code


class CloudUnreachableError(ProviderError):
    """The cloud does not answer: it was never started, or it died."""

    def __init__(self, endpoint: str, call: str, reason: str) -> None:
        super().__init__(
            f"the sandbox's cloud at {endpoint} did not answer {call} ({reason}); "
            "see `python -m sandbox status`, and `make up` to start it again"
        )


class CancelledError(ProviderError):
    """The operation was cut short because the engine cancelled it."""


class IncompleteError(ProviderError):
    """A resource that exists, although a later step of its creation failed: it must be recorded."""

    def __init__(self, resource_id: str, properties: Any, reason: str) -> None:
        super().__init__(reason)
        self.resource_id = resource_id
        self.properties = properties
