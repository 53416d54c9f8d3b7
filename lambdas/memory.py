"""What this container has delivered lately, so that a job that comes twice does not post twice.

Queues and streams deliver at least once. A container remembers which connection got which event id;
together with shares of an audience that are cut once and carried in the queue message, that keeps a
repeated message quiet wherever the same container takes it. Across containers, and after an answer
that never came, a second post of the same event id is possible: clients drop it by its `eventId`.
"""

import threading
from collections import OrderedDict
from time import monotonic
from typing import Final

WINDOW_SECONDS: Final = 900
"""How long a delivery is remembered. Longer than a job waits between its tries."""

CAPACITY: Final = 100_000
"""Deliveries remembered at once, some 20 MB; the oldest go first."""


class Memory:
    """Remembers pairs of event id and connection id for a while."""

    def __init__(self, *, seconds: float = WINDOW_SECONDS, capacity: int = CAPACITY) -> None:
        self._seconds = seconds
        self._capacity = capacity
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, event_id: str, connection_id: str) -> None:
        """Remember that the connection has the event."""
        now = monotonic()
        with self._lock:
            self._seen[event_id, connection_id] = now
            self._seen.move_to_end((event_id, connection_id))
            while self._seen and (
                len(self._seen) > self._capacity
                or next(iter(self._seen.values())) < now - self._seconds
            ):
                self._seen.popitem(last=False)

    def __contains__(self, delivery: tuple[str, str]) -> bool:
        with self._lock:
            moment = self._seen.get(delivery)
        return moment is not None and moment >= monotonic() - self._seconds

    def clear(self) -> None:
        """Forget everything, as a new container has."""
        with self._lock:
            self._seen.clear()
