"""A deployed stack to verify: our Lambdas on the sandbox's cloud."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import cloud as sandbox_cloud
from tests.gateway import emulated
from tests.gateway.shared_tables import CONNECTIONS, SUBSCRIPTIONS
from tests.ops.verify.held import Held
from tests.ops.verify.stack import Stack, until


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of this module alone."""
    running = sandbox_cloud.start(tmp_path_factory.mktemp("verified"), tied=True)
    deployed = emulated.deploy(running)
    users = [
        {"name": user.name, "role": user.role, "businessId": user.business_id}
        for user in deployed.platform.users
    ]
    outputs = {
        "sharedWebSocketApiId": deployed.platform.api_id,
        "webSocketUrl": deployed.url,
        "managementEndpoint": deployed.url.replace("ws", "http", 1),
        "connectionsTable": CONNECTIONS.name,
        "subscriptionsTable": SUBSCRIPTIONS.name,
        "routes": list(emulated.ROUTES),
        "functions": {name: f"emulated-{name}" for name in ("websocket", "janitor")},
        "sandbox": {"endpoint": running.endpoint, "region": running.region, "users": users},
    }
    business = deployed.platform.user("merchant1").business_id
    assert business is not None
    yield Stack(deployed=deployed, outputs=outputs, business=business)
    running.stop()


@pytest.fixture
def nothing_stays(stack: Stack) -> Iterator[None]:
    """However a run ends, the tables are as they were."""
    before = stack.rows()
    yield
    until(lambda: stack.rows() == before)
    assert stack.rows() == before


@pytest.fixture
def held(stack: Stack, tmp_path: Path) -> Iterator[Held]:
    """The websocket Lambda, made to stop at one of its transactions."""
    lambdas = Held(folder=tmp_path)
    lambdas.deploy(stack.deployed.cloud)
    yield lambdas
    lambdas.let_go()
