"""Fixtures for tests that run the Lambdas behind the gateway; each conftest.py imports them."""

from collections.abc import Iterator

import pytest

from sandbox.cloud import Cloud
from tests.gateway import backend as backends
from tests.gateway.backend import Backend
from tests.gateway.cognito import Cognito


@pytest.fixture(scope="session")
def cognito() -> Iterator[Cognito]:
    with Cognito() as running:
        yield running


@pytest.fixture
def open_backend(
    cloud: Cloud, cognito: Cognito, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backend]:
    """A stack to which the platform handed over `$default`: it sees whatever clients send."""
    with backends.running(cloud, cognito, monkeypatch, default_is_ours=True) as running:
        yield running
        running.gateway.settle()
        assert [call.error for call in running.gateway.crashes] == []


@pytest.fixture
def backend(cloud: Cloud, cognito: Cognito, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """A stack of its own for one test, which no handler may leave by an exception."""
    with backends.running(cloud, cognito, monkeypatch) as running:
        yield running
        running.gateway.settle()
        assert [call.error for call in running.gateway.crashes] == []
