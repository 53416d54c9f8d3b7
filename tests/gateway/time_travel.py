"""Makes the Lambdas read a test's clock, wherever they took the standard library's from."""

import datetime as dt
import importlib
import pkgutil
import sys
import time
from typing import Any

import jwt.api_jwt
import pytest

import lambdas
from tests.gateway.clock import VirtualClock


def import_lambdas() -> None:
    """Load every module of the Lambdas, so that none is loaded later with the real clock."""
    for module in pkgutil.walk_packages(lambdas.__path__, "lambdas."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def follow(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the Lambdas, and the check of their tokens, live by this clock until the test ends."""

    class VirtualDatetime(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return dt.datetime.fromtimestamp(clock.time(), tz)

    class VirtualTime:
        """The module `time`, but for the time of day."""

        def __getattr__(self, name: str) -> Any:
            return getattr(time, name)

        def time(self) -> float:
            return clock.time()

        def time_ns(self) -> int:
            return int(clock.time() * 1_000_000_000)

    stand_ins: list[tuple[object, object]] = [
        (time.time, clock.time),
        (time.time_ns, VirtualTime().time_ns),
        (time, VirtualTime()),
        (dt.datetime, VirtualDatetime),
    ]
    import_lambdas()
    ours = [m for name, m in sys.modules.items() if name.split(".")[0] == "lambdas"]
    for module in [*ours, jwt.api_jwt]:
        for name, value in vars(module).copy().items():
            for original, stand_in in stand_ins:
                if value is original:
                    monkeypatch.setattr(module, name, stand_in)
