"""What a test makes go wrong at the gateway: failing posts, lost answers, slow invocations."""

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

ERROR_TYPES = {
    400: "BadRequestException",
    403: "ForbiddenException",
    410: "GoneException",
    413: "PayloadTooLargeException",
    429: "LimitExceededException",
    500: "InternalServerErrorException",
    503: "ServiceUnavailableException",
}


class LambdaDiedError(BaseException):
    """The Lambda's process ended in the middle; no `except Exception` of the code sees it."""


@dataclass(frozen=True, kw_only=True)
class PostFault:
    """How one call of the management endpoint fails."""

    status: int | None
    """Answered instead of the real result; `None` closes the connection without an answer."""
    deliver: bool = False
    """The message reaches the client all the same: only the answer is lost."""
    latency: float = 0.0
    """Seconds before anything is answered."""
    typed: bool = True
    """Whether the answer names its error type; a proxy's own answers do not."""


@dataclass(kw_only=True)
class Faults:
    """The faults of one gateway; everything is off until a test turns it on."""

    lose_disconnects: bool = False
    """`$disconnect` is best effort: with this it is never called."""
    invoke_latency: Callable[[str], float] = field(default=lambda _route_key: 0.0)
    """Seconds that a route's Lambda waits before it starts."""
    post_latency: float = 0.0
    """Seconds that every post takes."""
    _posts: defaultdict[str, deque[PostFault]] = field(default_factory=lambda: defaultdict(deque))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fail_posts(self, connection_id: str, fault: PostFault, *, times: int = 1) -> None:
        """The next `times` calls for this connection fail this way; then it heals."""
        with self._lock:
            self._posts[connection_id].extend([fault] * times)

    def next_post_fault(self, connection_id: str) -> PostFault | None:
        with self._lock:
            waiting = self._posts.get(connection_id)
            return waiting.popleft() if waiting else None
