"""Starting, finding and stopping a home's cloud, whatever state the last command left it in."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from sandbox.cloud import record
from sandbox.cloud.client import Cloud
from sandbox.cloud.process import Process
from sandbox.cloud.record import Record
from sandbox.cloud.settings import HOST, REGION, server_environment
from sandbox.errors import SandboxError

_START_PATIENCE: Final = 30.0
_ATTEMPTS: Final = 5
_LOG_TAIL_LINES: Final = 15
# By its path: a Python path to this repository would reach the Lambdas, which are to have their
# package and nothing else.
_SERVER: Final = Path(__file__).with_name("server.py")


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
    known = record.read(folder)
    if known is not None and known.process is not None:
        running = known.process.alive()
        if running and _healthy(known.port):
            _check_same(known, port=port, auth=auth)
            return Cloud(home=home, record=known)
        if running:
            known.process.end(patience=2.0)  # it does not answer: there is little to wait for
        folder.joinpath("lost").touch()
    return _start(home, folder, port=port, last=known.port if known else None, auth=auth, tied=tied)


def connect(home: Path) -> Cloud:
    """Return the home's running cloud, or raise `CloudNotRunningError`."""
    known = record.read(home / "cloud")
    if known is None or known.process is None or not known.process.alive():
        raise CloudNotRunningError(home)
    if not _healthy(known.port):
        raise CloudNotRunningError(home)
    return Cloud(home=home, record=known)


def stop(home: Path) -> bool:
    """Stop the home's cloud and all that it started; say whether there was one. Its data stays."""
    folder = home / "cloud"
    known = record.read(folder)
    if known is None or known.process is None:
        return False
    running = known.process.alive()
    if running:
        known.process.end()
    else:
        folder.joinpath("lost").touch()
    record.write(folder, Record(port=known.port))
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    return running


def _check_same(known: Record, *, port: int | None, auth: bool) -> None:
    if port is not None and port != known.port:
        raise SandboxError(
            f"port {port}",
            f"the sandbox already runs on port {known.port}",
            "run: make down, or leave SANDBOX_PORT out",
        )
    if auth != known.auth:
        raise SandboxError(
            "auth", "the running cloud was started with the other setting", "run: make down"
        )


def _start(
    home: Path, folder: Path, *, port: int | None, last: int | None, auth: bool, tied: bool
) -> Cloud:
    """Start the server; another process may take a free port first, so that is tried anew."""
    if port is not None and not _free(port):
        raise SandboxError(
            f"port {port}",
            "it is in use by another program",
            "stop that program, or choose another: SANDBOX_PORT=<port> make up "
            "(without SANDBOX_PORT a free one is taken)",
        )
    for attempt in range(_ATTEMPTS):
        chosen = port or (last if last and attempt == 0 and _free(last) else _any_port())
        process, child = _spawn(folder, port=chosen, auth=auth, tied=tied)
        started = Record(
            port=chosen,
            pid=process.pid,
            started=process.started,
            endpoint=f"http://{HOST}:{chosen}",
            region=REGION,
            auth=auth,
            log=str(folder / "cloud.log"),
        )
        record.write(folder, started)
        try:
            if _wait_healthy(chosen, child):
                return Cloud(home=home, record=started)
        except BaseException:
            process.end(patience=1.0)
            record.write(folder, Record(port=chosen))
            raise
        reason = _why_not(child)
        process.end(patience=1.0)
        record.write(folder, Record(port=chosen))
        if not (port is None and "already in use" in _log_tail(folder).lower()):
            raise CloudNotStartedError(
                "the sandbox cloud",
                reason,
                f"read {folder / 'cloud.log'}",
                detail=_log_tail(folder),
            )
    raise CloudNotStartedError(
        "the sandbox cloud", f"{_ATTEMPTS} free ports were taken by others", "run it again"
    )


def _spawn(
    folder: Path, *, port: int, auth: bool, tied: bool
) -> tuple[Process, subprocess.Popen[bytes]]:
    """Start the server as the leader of its own session, out of reach of this terminal's Ctrl-C."""
    folder.joinpath("tmp").mkdir(exist_ok=True)
    with folder.joinpath("cloud.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-P", str(_SERVER), *(["--tied"] if tied else [])],
            stdin=subprocess.PIPE if tied else subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=server_environment(folder, port=port, auth=auth),
            start_new_session=True,
        )
    process = Process.of(child.pid)
    if process is None:
        raise CloudNotStartedError(
            "the sandbox cloud",
            _why_not(child),
            f"read {folder / 'cloud.log'}",
            detail=_log_tail(folder),
        )
    _CHILDREN[child.pid] = child
    return process, child


# A Popen that is thrown away while its process lives warns, and closes the pipe of a tied server.
_CHILDREN: Final[dict[int, subprocess.Popen[bytes]]] = {}


def _wait_healthy(port: int, child: subprocess.Popen[bytes]) -> bool:
    """Wait until the server answers; false when it ended or the time is over."""
    deadline = time.monotonic() + _START_PATIENCE
    while time.monotonic() < deadline:
        if child.poll() is not None:
            return False
        if _healthy(port):
            return True
        time.sleep(0.02)
    return False


def _why_not(child: subprocess.Popen[bytes]) -> str:
    status = child.poll()
    if status is None:
        return f"it did not answer within {_START_PATIENCE:.0f} s"
    return f"its process ended with status {status} before it answered"


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


def _free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _log_tail(folder: Path) -> str:
    try:
        lines = folder.joinpath("cloud.log").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-_LOG_TAIL_LINES:])
