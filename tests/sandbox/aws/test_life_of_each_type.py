"""What the provider promises of every type of the table, from its creation to its end."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sandbox.aws.types import TYPES
from tests.sandbox.aws.driver import Driver, Resource
from tests.sandbox.aws.examples import EXAMPLES, Example

pytestmark = pytest.mark.cloud

each_type = pytest.mark.parametrize("case", EXAMPLES)


def example(driver: Driver, unique: Callable[[str], str], case: str) -> tuple[Example, Resource]:
    token, make = EXAMPLES[case]
    made = make(driver, unique)
    return made, driver.create(token, "it", **made.inputs)


def test_every_type_of_the_table_has_an_example():
    assert {token for token, _ in EXAMPLES.values()} == set(TYPES)


@each_type
def test_a_second_deployment_of_the_same_inputs_changes_nothing(driver, unique, case):
    made, resource = example(driver, unique, case)

    answer = driver.diff(resource, **made.inputs)

    assert not answer.changes, answer.diffs


@each_type
def test_a_refresh_right_after_the_creation_finds_no_drift(driver, unique, case):
    _, resource = example(driver, unique, case)

    seen = driver.refresh(resource)

    assert seen is not None
    before = {
        name: value for name, value in resource.outputs.items() if value not in ("", 0, False)
    }
    after = {name: value for name, value in seen.outputs.items() if name in before}
    for each in ("state", "stateTransitionReason", "lastModified", "lastProcessingResult"):
        before.pop(each, None)
        after.pop(each, None)
    assert after == before
    assert seen.inputs == resource.inputs


@each_type
def test_after_a_refresh_there_is_still_nothing_to_do(driver, unique, case):
    made, resource = example(driver, unique, case)

    seen = driver.refresh(resource)

    assert seen is not None
    answer = driver.diff(seen, **made.inputs)
    assert not answer.changes, answer.diffs


@each_type
def test_a_change_is_named_and_applied_and_seen_in_the_cloud(driver, unique, case):
    made, resource = example(driver, unique, case)
    if not made.changed:
        pytest.skip("nothing of this type changes in place")
    wanted = {**made.inputs, **made.changed}

    answer = driver.diff(resource, **wanted)
    updated = driver.update(resource, inputs=wanted)

    assert answer.changes
    assert set(answer.diffs) == set(made.changed)
    assert not answer.replaces
    again = driver.diff(updated, **wanted)
    assert not again.changes, again.diffs
    # The old inputs on top of what the cloud now says: every change is there to be seen.
    seen = driver.refresh(replace(updated, outputs={**resource.outputs}))
    assert seen is not None
    back = driver.diff(seen, **made.inputs)
    assert set(back.diffs) == set(made.changed)


@each_type
def test_an_import_finds_inputs_that_need_no_change(driver, unique, case):
    made, resource = example(driver, unique, case)
    token, _ = EXAMPLES[case]

    found = driver.fetch(token, made.import_id(resource))

    assert found is not None
    assert found.id == resource.id or token.startswith("aws:cloudwatch/eventTarget")
    named = {**made.inputs}
    named.pop("triggers", None)
    answer = driver.diff(found, **named)
    assert not answer.changes, answer.diffs


@each_type
def test_what_is_deleted_is_gone_and_may_be_deleted_again(driver, unique, case):
    _, resource = example(driver, unique, case)

    driver.delete(resource)

    assert driver.refresh(resource) is None
    driver.delete(resource)


@each_type
def test_a_preview_knows_the_inputs_and_leaves_the_rest_open(driver, unique, case):
    from sandbox.aws.values import UNKNOWN

    token, make = EXAMPLES[case]
    made = make(driver, unique)

    planned = driver.preview(token, "it", **made.inputs)

    assert {name: planned[name] for name in made.inputs} == {
        name: value
        for name, value in driver.check(token, "it", made.inputs).items()
        if name in made.inputs
    }
    opened = {name for name, value in planned.items() if value is UNKNOWN}
    outputs = {name for name, known in TYPES[token].properties.items() if known.output}
    assert outputs - opened <= {"tagsAll"}
