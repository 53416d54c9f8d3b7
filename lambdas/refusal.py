"""The one way to say no: a refusal, which becomes the ERROR that the client gets."""

from lambdas.messages import ErrorCode


class Refusal(Exception):  # noqa: N818  (it is what the client is told, not a fault of ours)
    """A message is refused; `message` is written for the client and carries nothing of a fault."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        action: str | None = None,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.action = action
        """What the client asked for, when that is known and short."""
        self.retry_after_ms = retry_after_ms
