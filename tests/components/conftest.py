"""Fixtures of the components' tests: a recording engine, a platform, and a way to configure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pytest
from pulumi.runtime.config import set_all_config

from components import preflight
from tests.components.recording import (
    BUSINESSES,
    PROJECT,
    REGION,
    STACK,
    Engine,
    Platform,
    as_text,
)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    """A platform with nothing wrong about it, behind Pulumi's look-ups and boto3's reads alike."""
    platform = Platform()
    monkeypatch.setattr(preflight, "session", lambda settings: None)
    monkeypatch.setattr(preflight, "read_gateway", lambda session, api_id: platform.gateway)
    monkeypatch.setattr(
        preflight,
        "read_time_to_live",
        lambda session, tables: {name: platform.time_to_live[name] for name in tables},
    )
    return platform


@pytest.fixture
def engine(platform: Platform) -> Iterator[Engine]:
    engine = Engine(platform)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # the SDK asks for one, and an earlier test may have taken it away
    pulumi.runtime.set_mocks(engine, project=PROJECT, stack=STACK, preview=False)
    yield engine
    set_all_config({})
    asyncio.set_event_loop(None)
    loop.close()


Configure = Callable[..., None]


@pytest.fixture
def configure(engine: Engine) -> Configure:
    """Set the stack's configuration: what a small stack says, unless the test says otherwise."""

    def set_configuration(**different: Any) -> None:
        values: dict[str, Any] = {
            "businessesTable": BUSINESSES,
            "userPools": [
                {"id": "us-east-1_Abc123", "clientIds": ["c1"], "entityType": "merchant"}
            ],
        } | different
        set_all_config(
            {"aws:region": REGION}
            | {
                f"{PROJECT}:{key}": as_text(value)
                for key, value in values.items()
                if value is not None
            }
        )

    set_configuration()
    return set_configuration
