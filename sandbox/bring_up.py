"""Bringing up the cloud and the platform on it, each only when it is not there yet."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.console import Console
from sandbox.errors import SandboxError
from sandbox.home import one_at_a_time
from sandbox.platform import Platform, ensure, load

# Each Lambda's worker unpacks its package; those of this repository's stack come to 120 MB.
_ROOM: Final = 200 * 2**20


def bring_up(home: Path, console: Console) -> tuple[Cloud, Platform, bool]:
    """Return the running cloud and its platform, and whether the cloud was started for it."""
    port, started = wanted_port(), False
    with one_at_a_time(home):
        try:
            clouds.connect(home)
            cloud = clouds.start(home, port=port, auth=True)
        except clouds.CloudNotRunningError:
            started = True
            _check_room(home)
            with console.step("start the cloud") as step:
                cloud = clouds.start(home, port=port, auth=True)
                killed = ", after it was killed" if cloud.lost else ""
                step.note = f"{cloud.endpoint}, process {cloud.pid}{killed}"
        platform = None if cloud.lost else load(home)
        if platform is None:
            with console.step("bring up the shared platform") as step:
                platform = ensure(cloud)
                cloud.save()
                step.note = f"{platform.api_name}, {len(platform.users)} users"
        return cloud, platform, started


def found(home: Path) -> tuple[Cloud, Platform]:
    """Return the cloud and the platform that run, or say that they do not."""
    cloud, platform = clouds.connect(home), load(home)
    if platform is None:
        raise SandboxError(f"the sandbox of {home}", "its platform is not there", "run: make up")
    return cloud, platform


def _check_room(home: Path) -> None:
    """Refuse a disk that would be full in the middle of a deployment."""
    free = shutil.disk_usage(home).free
    if free < _ROOM:
        raise SandboxError(
            f"the disk of {home}",
            f"it has {free // 2**20} MB left, and the sandbox takes up to {_ROOM // 2**20}",
            "make room there, or set SANDBOX_HOME to a folder on another disk",
        )


def wanted_port() -> int | None:
    """Return the port that SANDBOX_PORT asks for; without it any free one will do."""
    text = os.environ.get("SANDBOX_PORT")
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise SandboxError(
            f"SANDBOX_PORT={text}", "it is not a port", "give a number from 1 to 65535"
        )
    return int(text)


def program_environment(cloud: Cloud) -> dict[str, str]:
    """Return the variables to set for whatever is to talk to the cloud.

    They stand in place of every `AWS_*` variable of the surroundings. Loopback is kept from
    proxies, of which the AWS SDK and gRPC both read the variables.
    """
    direct = ",".join(filter(None, ("127.0.0.1,localhost", os.environ.get("NO_PROXY"))))
    return {**cloud.environment(), "NO_PROXY": direct, "no_proxy": direct}


def shed_surroundings(environment: Mapping[str, str]) -> None:
    """Rid this very process of accounts, profiles and proxies: its children inherit nothing."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(environment)
