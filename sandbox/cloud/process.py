"""Who a process is, so that a pid that the system gave to somebody else is never touched."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


def start_time(pid: int) -> str | None:
    """When the process began, in the system's own words; nothing when it is gone or a zombie."""
    if _PROC.joinpath("self/stat").exists():
        try:
            stat = _PROC.joinpath(str(pid), "stat").read_text()
        except OSError:
            return None
        # The command's name stands in brackets and may hold anything, also blanks and brackets.
        state, *fields = stat.rpartition(")")[2].split()
        return None if state in "ZX" else f"{boot_id()}/{fields[18]}"
    asked = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or None


def boot_id() -> str:
    """Ticks since boot say little about another boot, so the boot belongs to the time."""
    try:
        return _PROC.joinpath("sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process, known by its pid and the moment at which it began."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        """Return the process that has this pid now."""
        started = start_time(pid)
        return cls(pid=pid, started=started) if started else None

    def alive(self) -> bool:
        """Whether it is this very process that has the pid, not a later one."""
        return start_time(self.pid) == self.started

    def end(self, *, patience: float = 10.0) -> None:
        """End the process and, after it, whoever is left of its group.

        It is asked first, and ended by force when it has not gone after `patience` seconds. Only
        for a process that leads a group of its own. A group's id is not given away while the group
        has members, and this one was just seen alive, so no stranger can be meant.
        """
        if not self.alive():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        if not self.wait_gone(patience):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait_gone(patience)

    def wait_gone(self, patience: float) -> bool:
        """Wait until the process is gone, `patience` seconds at most; say whether it is."""
        deadline = time.monotonic() + patience
        while self.alive():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, os.WNOHANG)  # our own child would stay a zombie otherwise
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True
