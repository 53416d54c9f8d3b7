"""How many messages a connection may send: a bucket of tokens each, in the container's memory.

It costs no call, and stops a flood where it arrives. It is per container: somebody who keeps
several containers busy at once has as many buckets. What reaches another person directly is counted
in the table as well (`order_message`).
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

BURST: Final = 100
"""Messages at once; an app that comes back with all its subscriptions needs some 60."""

PER_SECOND: Final = 20
"""Messages a second, lasting."""

CONNECTIONS: Final = 10_000
"""Connections remembered; the one that was silent longest is forgotten first."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


class Limiter:
    """The buckets of all connections that this container serves."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, connection_id: str, now: float) -> float:
        """Take a token; 0 when there was one, else the seconds until there is one again.

        Seconds in `now` may count from anywhere.
        """
        with self._lock:
            bucket = self._buckets.pop(connection_id, None) or _Bucket(BURST, now)
            self._buckets[connection_id] = bucket
            if len(self._buckets) > CONNECTIONS:
                self._buckets.popitem(last=False)
            passed = max(0.0, now - bucket.filled)
            bucket.tokens = min(BURST, bucket.tokens + passed * PER_SECOND)
            bucket.filled = now
            if bucket.tokens < 1:
                return (1 - bucket.tokens) / PER_SECOND
            bucket.tokens -= 1
            return 0.0
