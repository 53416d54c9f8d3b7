"""The folder that holds everything the sandbox keeps at run time, and who may work on it now."""

import contextlib
import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

from sandbox.errors import SandboxError

ROOT: Final = Path(__file__).resolve().parent.parent
"""The repository that this sandbox belongs to."""

_PATIENCE: Final = 120.0


class HomeInUseError(SandboxError):
    """Another command works on this sandbox."""


def home() -> Path:
    """Return the sandbox's folder: `.sandbox` in the repository, or what SANDBOX_HOME says."""
    return Path(os.environ.get("SANDBOX_HOME") or ROOT / ".sandbox").absolute()


@contextlib.contextmanager
def alone(folder: Path, command: str) -> Generator[None]:
    """Work on the sandbox while nobody else does.

    Refuses at once when another command of this kind is at work, and names it; one that only uses
    the sandbox is waited for.
    """
    with _opened(folder) as file:
        _acquire(folder, file, fcntl.LOCK_EX, wait=lambda: not _holder(file))
        file.truncate(0)
        started = datetime.now(UTC).strftime("%H:%M:%S UTC")
        file.write(json.dumps({"pid": os.getpid(), "command": command, "since": started}))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


@contextlib.contextmanager
def together(folder: Path) -> Generator[None]:
    """Use the sandbox beside others who use it, once nobody changes it."""
    with _opened(folder) as file:
        _acquire(folder, file, fcntl.LOCK_SH, wait=lambda: True)
        yield


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Generator[None]:
    """Bring up the cloud and the platform, one command after the other; it takes a moment each."""
    folder.mkdir(parents=True, exist_ok=True)
    with folder.joinpath("bring-up.lock").open("a+") as file:
        _acquire(folder, file, fcntl.LOCK_EX, wait=lambda: True)
        yield


def clear(folder: Path) -> None:
    """Throw away what the sandbox kept, but for the port, so that URLs look the same next time."""
    kept = {"lock", "bring-up.lock", "cloud"}
    for entry in [*_entries(folder, kept), *_entries(folder / "cloud", {"cloud.json"})]:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def _entries(folder: Path, kept: set[str]) -> list[Path]:
    return [entry for entry in folder.glob("*") if entry.name not in kept]


def _opened(folder: Path) -> IO[str]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return folder.joinpath("lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise SandboxError(
            str(folder), str(error.strerror), "make it writable, or set SANDBOX_HOME to a folder"
        ) from error


def _acquire(folder: Path, file: IO[str], kind: int, *, wait: Callable[[], bool]) -> None:
    """Take the lock. The kernel gives it back when the process ends, however it ends."""
    deadline = time.monotonic() + _PATIENCE
    said = False
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            who = _holder(file) or "another command"
            if not wait() or time.monotonic() > deadline:
                raise HomeInUseError(
                    f"the sandbox in {folder}",
                    f"{who} is at work on it",
                    "wait for it to end, or stop that process",
                ) from None
        if not said:
            sys.stderr.write(f"waiting for {who} to finish with the sandbox ...\n")
            sys.stderr.flush()
            said = True
        time.sleep(0.05)


def _holder(file: IO[str]) -> str:
    """Name whoever works alone; those who only use the sandbox leave no name."""
    file.seek(0)
    try:
        found = json.loads(file.read())
        return f"`{found['command']}` (process {found['pid']}, since {found['since']})"
    except (ValueError, KeyError, TypeError):
        return ""


def replace_text(path: Path, text: str) -> None:
    """Write a file in one step, so that no reader ever sees a half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)
