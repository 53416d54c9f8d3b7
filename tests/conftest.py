"""Fixtures that every room's tests share."""

import signal
from collections.abc import Callable, Iterator

import pytest

from sandbox import cloud as sandbox_cloud
from sandbox.cloud import Cloud
from sandbox.testing import cloud, deploy

__all__ = ["auth_cloud", "cloud", "deploy", "unique"]

# Who runs the tests in the background of a shell has SIGINT ignored, and every process that the
# tests start would inherit that; ours are to be ended by it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def auth_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A sandbox cloud that checks credentials and IAM policies."""
    running = sandbox_cloud.start(tmp_path_factory.mktemp("sandbox-auth"), auth=True, tied=True)
    yield running
    running.stop()


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Give a name that no other test of this run has: `unique("orders")`."""
    import uuid

    tail = uuid.uuid5(uuid.NAMESPACE_OID, request.node.nodeid).hex[:8]
    return lambda name: f"{name}-{tail}"
