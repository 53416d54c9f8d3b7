"""One operation at a time on a stack: a lock that says who holds it and dies with its holder."""

import contextlib
import fcntl
import os
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import IO

from sandbox.stack import EngineError


@contextlib.contextmanager
def held(path: Path, operation: str) -> Generator[None]:
    """Hold the stack's lock for one operation, or say who does.

    The kernel releases the lock when its process ends, however it ends; the file only names it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        if not taken(file):
            raise EngineError(
                f"the stack is locked by {holder(path)}: wait for it to end, or stop that process"
            )
        file.truncate(0)
        file.write(f"process {os.getpid()} ({operation} since {datetime.now(UTC):%H:%M:%S} UTC)")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def taken(file: IO[str], patience: float = 0.0) -> bool:
    """Take the kernel's lock on an open file, and say whether that came about in so many seconds.

    It goes with the file, also to processes that inherit it.
    """
    deadline = monotonic() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() >= deadline:
                return False
            sleep(0.05)
        else:
            return True


def holder(path: Path) -> str:
    """Name the process that holds the lock, or return an empty text."""
    try:
        with path.open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return path.read_text(encoding="utf-8") or "a process that has just begun"
    except FileNotFoundError:
        pass
    return ""
