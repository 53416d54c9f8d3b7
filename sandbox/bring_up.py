"""Bringing up the cloud and the platform on it, each only when it is not there yet."""

import os
from pathlib import Path

from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.console import Console
from sandbox.errors import SandboxError
from sandbox.home import one_at_a_time
from sandbox.platform import Platform, ensure, load


def bring_up(home: Path, console: Console) -> tuple[Cloud, Platform, bool]:
    """Return the running cloud and its platform, and whether the cloud was started for it."""
    port = wanted_port()
    with one_at_a_time(home):
        try:
            cloud = clouds.connect(home)
        except clouds.CloudNotRunningError:
            started = True
            with console.step("start the cloud") as step:
                cloud = clouds.start(home, port=port, auth=True)
                step.note = f"{cloud.endpoint}, process {cloud.pid}" + (
                    ", after it was killed" if cloud.lost else ""
                )
        else:
            started = False
            cloud = clouds.start(home, port=port, auth=True)
        platform = None if cloud.lost else load(home)
        if platform is None:
            with console.step("bring up the shared platform") as step:
                platform = ensure(cloud)
                cloud.save()
                step.note = f"{platform.api_name}, {len(platform.users)} users"
        return cloud, platform, started


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
