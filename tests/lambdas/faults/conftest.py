"""The stack behind the gateway, where Lambdas may die because a test made them."""

from collections.abc import Iterator

import pytest

from sandbox.cloud import Cloud
from tests.gateway import backend as backends
from tests.gateway.backend import Backend
from tests.gateway.cognito import Cognito
from tests.gateway.faults import LambdaDiedError
from tests.gateway.fixtures import cognito

__all__ = ["cognito"]


@pytest.fixture
def backend(cloud: Cloud, cognito: Cognito, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """A stack of its own for one test; handlers end by what the test injects and nothing else."""
    with backends.running(cloud, cognito, monkeypatch) as running:
        yield running
        running.gateway.settle()
        errors = [call.error for call in running.gateway.crashes]
        errors += [*running.queue.errors, *running.orders.errors]
        assert [error for error in errors if not isinstance(error, LambdaDiedError)] == []
