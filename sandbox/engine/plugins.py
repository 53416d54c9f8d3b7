"""Child processes that speak gRPC: the provider plugins and the policy packs."""

import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto.provider_pb2_grpc import (
    ResourceProviderServicer,
    ResourceProviderStub,
    add_ResourceProviderServicer_to_server,
)

from sandbox.engine.project import Project
from sandbox.stack import EngineError

_START_SECONDS = 60.0
# What a child runs: its module, and a thread that ends it when its parent is gone, however it went.
_LAUNCH = """\
import os, runpy, sys, threading
parent = os.fdopen(os.dup(0), "rb")
threading.Thread(target=lambda: (parent.read(), os._exit(0)), daemon=True).start()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A Python module that serves a provider; `path` is searched for it first.

    With `servicer` it is served by this process instead, which tests use to save a start.
    """

    module: str = ""
    path: Path | None = None
    servicer: Callable[[], ResourceProviderServicer] | None = None


# Packages that the sandbox can serve. Others are refused by name.
PLUGINS: Mapping[str, Plugin] = {"aws": Plugin(module="sandbox.aws")}


class NoProviderError(EngineError):
    """A program uses a package that nothing in the sandbox serves."""

    def __init__(self, package: str) -> None:
        super().__init__(f"no provider for package {package!r} in the sandbox")
        self.package = package


class Child:
    """A plugin's process. It is started at once and connected to when it is first needed."""

    def __init__(
        self,
        what: str,
        module: str,
        arguments: list[str],
        *,
        environment: Mapping[str, str],
        cwd: Path,
        python: str = sys.executable,
        log: Callable[[str], None],
    ) -> None:
        self._what = what
        self._said: deque[str] = deque(maxlen=20)
        self._log = log
        self._channel: grpc.Channel | None = None
        # A session of its own: Ctrl-C reaches the engine, which lets the calls in flight finish.
        self._process = subprocess.Popen(
            [python, "-u", "-c", _LAUNCH, module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        self._errors = self._listen(self._process.stderr)

    def connect(self) -> grpc.Channel:
        """Return the connection; `EngineError` if the process does not say its port."""
        stdout = self._process.stdout
        assert stdout is not None
        impatience = threading.Timer(_START_SECONDS, self._process.kill)
        impatience.start()
        line = stdout.readline().decode(errors="replace").strip()
        impatience.cancel()
        if not line.isdecimal():
            self.kill()
            self._errors.join(timeout=1.0)
            said = " ".join([line, *self._said]).strip() or "nothing"
            raise EngineError(
                f"{self._what} did not start: its first line must be a port, it said: {said}"
            )
        self._listen(stdout)
        self._channel = grpc.insecure_channel(f"127.0.0.1:{line}", options=_GRPC_CHANNEL_OPTIONS)
        return self._channel

    def _listen(self, stream: IO[bytes] | None) -> threading.Thread:
        """Pass on what the process says; what it says before it is connected explains why not."""

        def listen() -> None:
            for raw in stream or ():
                line = raw.decode(errors="replace").rstrip()
                self._said.append(line)
                if self._channel is not None and line:
                    self._log(line)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        return thread

    def kill(self) -> None:
        """End the process now; calls in flight fail."""
        self._process.kill()
        self._process.wait()
        if self._channel is not None:
            self._channel.close()


class Host:
    """Starts plugins, ahead of time where it is known which ones are needed."""

    def __init__(
        self, plugins: Mapping[str, Plugin], project: Project, log: Callable[[str], None]
    ) -> None:
        self._plugins = plugins
        self._project = project
        self._log = log
        self._lock = threading.Lock()
        # By package, what returns the connection to a plugin that was started ahead of time.
        self._waiting: dict[str, Callable[[], grpc.Channel]] = {}
        self._channels: list[grpc.Channel] = []
        self._until_closed = ExitStack()

    def require(self, package: str) -> None:
        """Raise `NoProviderError` for a package that nothing here serves."""
        if package not in self._plugins:
            raise NoProviderError(package)

    def prepare(self, package: str) -> None:
        """Start a plugin that is going to be needed."""
        with self._lock:
            if package in self._plugins and package not in self._waiting:
                self._waiting[package] = self._start(package)

    def open(self, package: str) -> grpc.Channel:
        """Return the connection to a fresh instance."""
        self.require(package)
        with self._lock:
            connect = self._waiting.pop(package, None) or self._start(package)
        self._channels.append(connect())
        return self._channels[-1]

    def _start(self, package: str) -> Callable[[], grpc.Channel]:
        plugin = self._plugins[package]
        if plugin.servicer is not None:
            server = grpc.server(ThreadPoolExecutor(max_workers=16))
            add_ResourceProviderServicer_to_server(plugin.servicer(), server)
            port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            self._until_closed.callback(server.stop, None)
            return lambda: self._until_closed.enter_context(
                grpc.insecure_channel(f"127.0.0.1:{port}")
            )
        # The module is found where this process finds it, whatever the program's folder is.
        paths = [str(plugin.path)] if plugin.path else []
        python_path = ":".join([*paths, *filter(None, sys.path)])
        child = Child(
            f"the provider plugin {package!r}",
            plugin.module,
            ["127.0.0.1:1"],
            environment={**self._project.environment, "PYTHONPATH": python_path},
            cwd=self._project.program,
            log=self._log,
        )
        self._until_closed.callback(child.kill)
        return child.connect

    def cancel(self) -> None:
        """Ask every provider to give up what it is doing, without waiting for an answer."""
        for channel in self._channels:
            ResourceProviderStub(channel).Cancel.future(empty_pb2.Empty())

    def close(self) -> None:
        """End every plugin that was started."""
        self._until_closed.close()
