"""A running cloud as the rest of the sandbox holds it: where it is, and how to talk to it."""

import os
import signal
import threading
from functools import cached_property
from pathlib import Path
from typing import Any

from sandbox.cloud.settings import ACCESS_KEY, HOST, REGION, client_environment


class Cloud:
    """A cloud that runs. `client` gives boto3 clients that reach it and nothing else."""

    def __init__(self, *, home: Path, pid: int, port: int, auth: bool) -> None:
        self.home = home
        self.pid = pid
        self.port = port
        self.auth = auth
        self.endpoint = f"http://{HOST}:{port}"
        self.region = REGION
        self.log = home / "cloud" / "cloud.log"
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Cloud({self.endpoint})"

    def environment(self) -> dict[str, str]:
        """Return the AWS variables for a program that is to talk to this cloud."""
        return client_environment(self.endpoint)

    def client(self, service: str) -> Any:
        """Return a boto3 client; the same one for the same service, for it is slow to make.

        Keys and endpoint are given here, so neither variables nor profiles nor a proxy of the
        surroundings count.
        """
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._new_client(service)
            return self._clients[service]

    def _new_client(self, service: str) -> Any:
        from botocore.config import Config

        return self._session.client(
            service,
            endpoint_url=self.endpoint,
            config=Config(
                connect_timeout=2,
                read_timeout=30,
                retries={"total_max_attempts": 2},
                proxies={},
                inject_host_prefix=False,
                max_pool_connections=32,
            ),
        )

    @cached_property
    def _session(self) -> Any:
        import boto3
        import botocore.session

        # Each variable: name in a profile, name in the environment, default, conversion.
        bare = {
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
        return boto3.Session(
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=ACCESS_KEY,
            region_name=self.region,
            botocore_session=botocore.session.Session(session_vars=bare),
        )

    def save(self) -> None:
        """Have the cloud write its data to disk, so that a kill from now on loses less."""
        os.kill(self.pid, signal.SIGUSR1)

    def stop(self) -> None:
        """Stop the cloud and every process that it started; its data stays for the next start."""
        from sandbox.cloud.lifecycle import stop

        stop(self.home)

    @property
    def lost(self) -> bool:
        """Whether a kill lost what was created since the last orderly stop."""
        return self._loss.exists()

    def forget_loss(self) -> None:
        """Say that whoever relied on what was lost has been told."""
        self._loss.unlink(missing_ok=True)

    @property
    def _loss(self) -> Path:
        return self.home / "cloud" / "lost"
