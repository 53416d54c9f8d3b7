"""What is known of a home's cloud between two commands: `cloud/cloud.json`, and its lock.

The server holds a lock on the open file for as long as it lives. So whether a cloud runs is what
the kernel says, and a pid that the system gave to somebody else is never taken for it.
"""

import fcntl
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Known:
    """The cloud as it was last started. `pid` is nothing once it was stopped in order.

    The port outlives the process, so that URLs stay as they were after `down` and `up`.
    """

    port: int | None = None
    pid: int | None = None
    auth: bool = False


class Record:
    """The open file. Raises FileNotFoundError where there is no folder for it."""

    def __init__(self, folder: Path) -> None:
        self._file = os.fdopen(os.open(folder / "cloud.json", os.O_RDWR | os.O_CREAT, 0o644), "r+")
        self.fd = self._file.fileno()
        self.known = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def lock(self) -> bool:
        """Take the lock, which a child inherits with the open file; False where it is taken."""
        return self._take(fcntl.LOCK_EX)

    @property
    def held(self) -> bool:
        """Whether a server lives; those who look share, and do not take one another for it."""
        if not self._take(fcntl.LOCK_SH):
            return True
        fcntl.flock(self._file, fcntl.LOCK_UN)
        return False

    def write(self, known: Known) -> None:
        """Note what is known from now on; the rest of what is written is for people."""
        self.known = known
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps(asdict(known), indent=2) + "\n")
        self._file.flush()

    def forget_process(self) -> None:
        """Note that nothing runs any more."""
        self.write(replace(self.known, pid=None))

    def _take(self, kind: int) -> bool:
        try:
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _read(self) -> Known:
        try:
            found = json.loads(self._file.read())
            return Known(port=found["port"], pid=found["pid"], auth=found["auth"])
        except (ValueError, TypeError, KeyError):  # a crash left it unreadable
            return Known()
