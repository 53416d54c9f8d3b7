"""What the provider promises of every type of the table, from its creation to its end.

Each type's example is made once, and the tests go through its life in their order.
"""

import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sandbox.aws.types import TYPES
from sandbox.aws.values import UNKNOWN
from sandbox.cloud import Cloud
from tests.sandbox.aws.driver import Driver, Resource
from tests.sandbox.aws.examples import EXAMPLES, Example

pytestmark = pytest.mark.cloud

MOVING = {"state", "stateTransitionReason", "lastModified", "lastProcessingResult"}
"""Outputs that the cloud changes on its own."""


@dataclass
class Life:
    driver: Driver
    token: str
    example: Example
    resource: Resource
    met: set[str]


@pytest.fixture(scope="module")
def met() -> Iterator[set[str]]:
    """Every address that this process connects to."""
    addresses: set[str] = set()
    connect = socket.socket.connect

    def watched(self: socket.socket, address):
        addresses.add(str(address[0] if isinstance(address, tuple) else address))
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", watched)
        yield addresses


@pytest.fixture(scope="module")
def lone_driver(cloud: Cloud) -> Driver:
    return Driver(cloud.environment(), Path.cwd())


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in EXAMPLES],
)
def life(request: pytest.FixtureRequest, lone_driver: Driver, met: set[str]) -> Life:
    token, make = EXAMPLES[request.param]
    tail = uuid.uuid4().hex[:8]
    example = make(lone_driver, lambda name: f"{name}-{tail}")
    made = lone_driver.create(token, "it", **example.inputs)
    return Life(lone_driver, token, example, made, met)


def told(values: dict[str, object]) -> dict[str, object]:
    """Leave out what says nothing or moves on its own, and archives, equal only to themselves."""
    return {
        name: value
        for name, value in values.items()
        if value not in ("", 0, False) and name not in MOVING | {"code"}
    }


def test_every_type_of_the_table_has_an_example():
    assert {token for token, _ in EXAMPLES.values()} == set(TYPES)


def test_a_preview_knows_the_inputs_and_leaves_the_rest_open(life: Life):
    checked = life.driver.check(life.token, "it", life.example.inputs)

    planned = life.driver.preview(life.token, "it", **life.example.inputs)

    assert told({name: planned[name] for name in life.example.inputs}) == told(
        {name: checked[name] for name in life.example.inputs}
    )
    opened = {name for name, value in planned.items() if value == UNKNOWN}
    outputs = {name for name, known in TYPES[life.token].properties.items() if known.output}
    # The hash of the code is known as soon as the code is.
    assert outputs - opened <= {"tagsAll", "codeSha256"}


def test_a_second_deployment_of_the_same_inputs_changes_nothing(life: Life):
    answer = life.driver.diff(life.resource, **life.example.inputs)

    assert not list(answer.diffs)


def test_a_refresh_right_after_the_creation_finds_no_drift(life: Life):
    seen = life.driver.refresh(life.resource)

    assert seen is not None
    before = told(life.resource.outputs)
    assert {name: value for name, value in told(seen.outputs).items() if name in before} == before
    assert told(seen.inputs) == told(life.resource.inputs)
    answer = life.driver.diff(seen, **life.example.inputs)
    assert not list(answer.diffs)


def test_an_import_finds_inputs_that_need_no_change(life: Life):
    found = life.driver.fetch(life.token, life.example.import_id(life.resource))

    assert found is not None
    assert found.id == life.resource.id
    answer = life.driver.diff(found, **life.example.inputs)
    assert set(answer.diffs) <= life.example.not_imported


def test_a_change_is_named_and_applied_and_seen_in_the_cloud(life: Life):
    made, resource = life.example, life.resource
    if not made.changed:
        pytest.skip("nothing of this type changes in place")
    wanted = {**made.inputs, **made.changed}

    answer = life.driver.diff(resource, **wanted)
    updated = life.driver.update(resource, inputs=wanted)

    assert set(answer.diffs) == set(made.changed)
    assert not answer.replaces
    again = life.driver.diff(updated, **wanted)
    assert not list(again.diffs)
    # The old state brought up to what the cloud says now: every change is there to be seen.
    seen = life.driver.refresh(replace(updated, outputs={**resource.outputs}))
    assert seen is not None
    back = life.driver.diff(seen, **made.inputs)
    assert set(back.diffs) == set(made.changed)


def test_what_is_deleted_is_gone_and_may_be_deleted_again(life: Life):
    life.driver.delete(life.resource)

    assert life.driver.refresh(life.resource) is None
    life.driver.delete(life.resource)


def test_all_of_its_life_was_lived_on_this_machine(life: Life):
    assert life.met == {"127.0.0.1"}
