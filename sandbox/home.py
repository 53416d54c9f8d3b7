"""The folder that holds everything the sandbox keeps at run time, and who may work on it now."""

import contextlib
import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Generator
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
    with _locked(folder / "lock", fcntl.LOCK_EX, beside_named=False) as file:
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
    with _locked(folder / "lock", fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Generator[None]:
    """Bring up the cloud and the platform, one command after the other; it takes a moment each."""
    with _locked(folder / "bring-up.lock", fcntl.LOCK_EX):
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


@contextlib.contextmanager
def _locked(path: Path, kind: int, *, beside_named: bool = True) -> Generator[IO[str]]:
    """Hold a lock, which the kernel gives back when the process ends, however it ends.

    Whoever holds it is waited for, but without `beside_named` nobody who left a name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline, said = time.monotonic() + _PATIENCE, False
    with path.open("a+", encoding="utf-8") as file:
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, kind | fcntl.LOCK_NB)
                break
            name = _holder(file)
            who = name or "another command"
            if (name and not beside_named) or time.monotonic() > deadline:
                raise HomeInUseError(
                    f"the sandbox in {path.parent}",
                    f"{who} is at work on it",
                    "wait for it to end, or stop that process",
                )
            if not said:
                sys.stderr.write(f"waiting for {who} to finish with the sandbox ...\n")
                sys.stderr.flush()
                said = True
            time.sleep(0.05)
        yield file


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
