"""With IAM enforced, the role of each Lambda is enough, and without any statement it is not.

The emulator checks what the Lambdas call against their roles. `test_least_privilege` holds the
roles to their actions and tables, call by call.
"""

from collections.abc import Callable

import pytest

from lambdas.catalogue import ENTRY_POINTS, EntryPoint
from sandbox.cloud import Cloud
from tests.lambdas.attack import days
from tests.lambdas.attack.guarded import Guarded

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("auth-cloud")]

DAYS: dict[str, Callable[[Guarded], list[str]]] = {
    "websocket": days.websocket,
    "order_events": days.order_events,
    "fanout": days.fanout,
    "janitor": days.janitor,
}

OF_THE_SOURCES = {"ReadQueue", "ReadStream"}
"""Statements that AWS's own pollers need: they read with the Lambda's role. The emulator's read
without any, so that here nothing changes without these two."""


@pytest.fixture(scope="module")
def guarded(auth_cloud: Cloud) -> Guarded:
    return Guarded.deploy(auth_cloud)


@pytest.mark.parametrize("entry", ENTRY_POINTS, ids=lambda entry: entry.name)
def test_the_role_is_enough(guarded: Guarded, entry: EntryPoint) -> None:
    assert DAYS[entry.name](guarded) == []


@pytest.mark.parametrize(
    ("entry", "sid"),
    [
        pytest.param(entry, statement.sid, id=f"{entry.name}-{statement.sid}")
        for entry in ENTRY_POINTS
        for statement in entry.statements
        if statement.sid not in OF_THE_SOURCES
    ],
)
def test_without_a_statement_something_is_missing(
    guarded: Guarded, entry: EntryPoint, sid: str
) -> None:
    with guarded.without(entry, sid):
        assert DAYS[entry.name](guarded) != []
    assert DAYS[entry.name](guarded) == []
