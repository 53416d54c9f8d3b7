"""The provider for tests: on the sandbox's cloud, and without one."""

from pathlib import Path

import pytest

from sandbox.cloud import Cloud
from tests.sandbox.aws.driver import Driver


@pytest.fixture
def driver(cloud: Cloud, tmp_path: Path) -> Driver:
    """A configured provider on the sandbox's cloud; archives are looked for in `tmp_path`."""
    return Driver(cloud.environment(), tmp_path)


@pytest.fixture
def offline(tmp_path: Path) -> Driver:
    """A provider for what needs no cloud: its endpoint is on this machine, and nobody listens."""
    return Driver({"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "eu-west-1"}, tmp_path)
