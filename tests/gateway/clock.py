"""A clock that tests move: real time plus an offset that only grows when a test says so."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class VirtualClock:
    """Seconds since the epoch, as the gateway and the handlers of one test see them."""

    offset: float = 0.0
    _listeners: list[Callable[[], None]] = field(default_factory=list)

    def time(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Let time pass; what was due in between has happened when this returns."""
        self.offset += seconds
        for listener in tuple(self._listeners):
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def forget(self, listener: Callable[[], None]) -> None:
        self._listeners.remove(listener)
