"""Another process that puts back what verification changed, however verification ends.

It stands by before anything is changed, is told of every trace before that is made, and acts when
it is told that verification is over, or when the pipe to it closes, which even a killed process
cannot forget to do.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from ops.deployed import Deployed
from ops.errors import OperatorError
from ops.verify.rows import Rows
from ops.verify.traces import Traces, put_back

_DIED = "the process that was to put things back has died"
_STANDS_BY = "stands by"
_NOT_FOR_IT = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


class Pipe(Protocol):
    """One end of a pipe to another process."""

    def send(self, obj: Any, /) -> None:
        """Send an object."""
        ...

    def recv(self) -> Any:
        """Wait for one; raises EOFError when the other end is closed."""
        ...


class Guard:
    """The way to that process."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._stands_by = False
        self._over = False

    def note(self, traces: Traces) -> None:
        """Say what is to be put back from now on. Raises OperatorError.

        Waits until the other process is out of this one's group: until then both can be killed at
        once, and a note in the pipe would be read by nobody.
        """
        try:
            self._see_it_stand_by()
            self._pipe.send(traces)
        except (EOFError, OSError) as error:
            raise OperatorError(f"{_DIED}: nothing more is changed; run it again") from error

    def put_back(self) -> str:
        """Have everything put back; returns why that failed, or nothing."""
        if self._over:
            return ""
        self._over = True
        try:
            self._see_it_stand_by()
            self._pipe.send(None)
            return str(self._pipe.recv())
        except (EOFError, OSError):
            return _DIED

    def _see_it_stand_by(self) -> None:
        if not self._stands_by:
            self._stands_by = self._pipe.recv() == _STANDS_BY


@contextmanager
def guarded(deployed: Deployed, profile: str | None, token: str) -> Generator[Guard]:
    """Have a guard at one's side, and everything put back in the end."""
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    process = context.Process(target=_stand_by, args=(its, deployed, profile, token))
    # Ctrl-C reaches every process of a terminal, and this one is there for what comes after it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _NOT_FOR_IT)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    its.close()
    guard = Guard(ours)
    try:
        yield guard
    finally:
        if reason := guard.put_back():
            sys.stderr.write(f"not everything could be put back: {reason}\n")
        process.join()


def _stand_by(pipe: Pipe, deployed: Deployed, profile: str | None, token: str) -> None:
    os.setsid()  # who ends a group of processes does not mean this one
    with suppress(OSError):  # who has gone already left nothing
        pipe.send(_STANDS_BY)
    with suppress(ClientError, BotoCoreError, OperatorError):
        Rows(deployed, profile)  # makes the clients, while verification is at work
    traces = Traces()
    with suppress(EOFError, OSError):
        while (noted := pipe.recv()) is not None:
            traces = noted
    reason = put_back(deployed, profile, token, traces) if traces.any else ""
    try:
        pipe.send(reason)
    except OSError:  # nobody is left to tell but whoever sees this terminal
        if reason:
            sys.stderr.write(f"verification was killed; not everything is put back: {reason}\n")
