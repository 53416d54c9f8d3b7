"""Starting, finding and stopping a home's cloud, whatever state the last command left it in."""

import contextlib
import errno
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sandbox.cloud.client import Cloud
from sandbox.cloud.record import Known, Record
from sandbox.cloud.settings import HOST, server_environment
from sandbox.errors import SandboxError

_START_PATIENCE: Final = 30.0
_LOG_TAIL_LINES: Final = 15
# By its path: a Python path to this repository would reach the Lambdas, which are to have their
# package and nothing else.
_SERVER: Final = Path(__file__).with_name("server.py")
# A Popen that is thrown away while its process lives warns, and closes the pipe of a tied server.
_CHILDREN: Final[list[subprocess.Popen[bytes]]] = []


class CloudNotRunningError(SandboxError):
    """Nothing answers for this home."""

    def __init__(self, home: Path) -> None:
        super().__init__(f"the sandbox of {home}", "its cloud is not running", "run: make up")
        self.home = home


class CloudNotStartedError(SandboxError):
    """The server went away, or did not answer in time."""


def start(home: Path, *, port: int | None = None, auth: bool = False, tied: bool = False) -> Cloud:
    """Return the home's cloud, started when it does not run.

    Without `port` it takes the one that it had before, or any free one. `auth` makes it check
    credentials and IAM policies. `tied` ends it when this process ends, however that happens.
    A cloud that was killed has lost what it did since its last orderly stop: `Cloud.lost` says so
    until `Cloud.forget_loss` is called.
    """
    folder = home / "cloud"
    for name in ("tmp", "services", "s3"):
        folder.joinpath(name).mkdir(parents=True, exist_ok=True)
    with Record(folder) as record:
        if record.held and (running := _cloud(home, record)):
            _check_same(running, port=port, auth=auth)
            return running
        if record.held and record.known.pid:
            _end(record, record.known.pid, patience=2.0)  # it does not answer: little to wait for
        if not _until(record.lock, 1.0):
            raise SandboxError(
                f"the sandbox of {home}",
                "its cloud runs, and its record does not say which process it is",
                f"throw it away, and the cloud ends: rm -r {home}",
            )
        if record.known.pid:
            folder.joinpath("lost").touch()
        record.forget_process()
        return _start(home, record, port=port, auth=auth, tied=tied)


def connect(home: Path) -> Cloud:
    """Return the home's running cloud, or raise `CloudNotRunningError`."""
    with contextlib.suppress(FileNotFoundError), Record(home / "cloud") as record:
        if record.held and (running := _cloud(home, record)):
            return running
    raise CloudNotRunningError(home)


def stop(home: Path) -> bool:
    """Stop the home's cloud and all that it started; say whether there was one. Its data stays."""
    folder = home / "cloud"
    running = False
    with contextlib.suppress(FileNotFoundError), Record(folder) as record:
        if record.known.pid is None:
            return False
        if running := record.held:
            _end(record, record.known.pid, patience=10.0)
        else:
            folder.joinpath("lost").touch()
        record.forget_process()
        shutil.rmtree(folder / "tmp", ignore_errors=True)
    return running


def _cloud(home: Path, record: Record) -> Cloud | None:
    """Return the cloud that runs, if it answers."""
    known = record.known
    if known.pid is None or known.port is None or not _healthy(known.port):
        return None
    return Cloud(home=home, pid=known.pid, port=known.port, auth=known.auth)


def _check_same(running: Cloud, *, port: int | None, auth: bool) -> None:
    if port is not None and port != running.port:
        raise SandboxError(
            f"port {port}",
            f"the sandbox already runs on port {running.port}",
            "run: make down, or leave SANDBOX_PORT out",
        )
    if auth != running.auth:
        raise SandboxError(
            "auth", "the running cloud was started with the other setting", "run: make down"
        )


def _start(home: Path, record: Record, *, port: int | None, auth: bool, tied: bool) -> Cloud:
    with _listen(port, record.known.port) as listener:
        chosen = int(listener.getsockname()[1])
        child = _spawn(home / "cloud", record, listener, auth=auth, tied=tied)
    running, status = None, None
    try:
        record.write(Known(port=chosen, pid=child.pid, auth=auth))
        _until(lambda: child.poll() is not None or _healthy(chosen), _START_PATIENCE)
        status, running = child.poll(), _cloud(home, record)
    finally:
        if running is None:
            child.kill()
            child.wait()
            record.forget_process()
    if running is None:
        log = home / "cloud" / "cloud.log"
        reason = (
            f"it did not answer within {_START_PATIENCE:.0f} s"
            if status is None
            else f"its process ended with status {status} before it answered"
        )
        said = "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])
        raise CloudNotStartedError("the sandbox cloud", reason, f"read {log}", detail=said)
    return running


def _listen(port: int | None, last: int | None) -> socket.socket:
    """Take the port, the last one, or any; the server inherits it, and nobody gets in between."""
    if port is None and last:
        with contextlib.suppress(OSError):
            return socket.create_server((HOST, last))
    try:
        return socket.create_server((HOST, port or 0))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise SandboxError(
            f"port {port}",
            "it is in use by another program" if taken else str(error.strerror),
            "stop that program, or choose another: SANDBOX_PORT=<port> make up "
            "(without SANDBOX_PORT a free one is taken)",
        ) from None


def _spawn(
    folder: Path, record: Record, listener: socket.socket, *, auth: bool, tied: bool
) -> subprocess.Popen[bytes]:
    """Start the server as the leader of its own session, out of reach of this terminal's Ctrl-C.

    It inherits the record's lock with the open file, and the port with the socket.
    """
    folder.joinpath("tmp").mkdir(exist_ok=True)
    passed = (record.fd, listener.fileno())
    with folder.joinpath("cloud.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-P", str(_SERVER), *map(str, passed), *(["--tied"] if tied else [])],
            stdin=subprocess.PIPE if tied else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=server_environment(folder, port=listener.getsockname()[1], auth=auth),
            start_new_session=True,
            pass_fds=passed,
        )
    _CHILDREN.append(child)
    return child


def _end(record: Record, pid: int, *, patience: float) -> None:
    """End the process and, after it, whoever is left of its group.

    It is asked first, and ended by force when it has not gone after `patience` seconds. It holds
    the lock, so the pid is its own; and a group's id is not given away while it has members.
    """
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if _until(lambda: not record.held, seconds):
            break
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)  # our own child would stay a zombie otherwise


def _until(condition: Callable[[], bool], patience: float) -> bool:
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _healthy(port: int) -> bool:
    """Whether a MiniStack, and not just anything, answers on the port."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/_ministack/health")
        answer = connection.getresponse()
        return answer.status == http.HTTPStatus.OK and "services" in json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
