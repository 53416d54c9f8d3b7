"""A platform that the tests of this process share."""

import pytest

from sandbox.platform import Platform, ensure


@pytest.fixture(scope="session")
def platform(cloud) -> Platform:
    return ensure(cloud)
