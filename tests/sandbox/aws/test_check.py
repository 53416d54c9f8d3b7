"""Inputs: defaults, generated names, and failures that name the property."""

import json

import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.aws.values import UNKNOWN, lift, lower
from tests.sandbox.aws.driver import CheckFailedError, Driver, asset
from tests.sandbox.aws.examples import CODE, TRUST

QUEUE = "aws:sqs/queue:Queue"
ROLE = "aws:iam/role:Role"
FUNCTION = "aws:lambda/function:Function"


def test_defaults_are_filled_in_and_listed(offline: Driver):
    inputs = offline.check(QUEUE, "jobs", {"name": "jobs", "delaySeconds": 5})

    assert inputs["visibilityTimeoutSeconds"] == 30
    assert inputs["delaySeconds"] == 5
    assert "visibilityTimeoutSeconds" in inputs["__defaults"]
    assert "delaySeconds" not in inputs["__defaults"]


def test_a_name_is_generated_from_the_resources_and_seven_digits(offline: Driver):
    inputs = offline.check(QUEUE, "jobs", {})

    assert inputs["name"] == "jobs-0001020"
    assert "name" in inputs["__defaults"]


def test_a_generated_name_stays_until_the_engine_forgets_it(offline: Driver):
    first = offline.check(QUEUE, "jobs", {}) | {"name": "jobs-fffffff"}

    assert offline.check(QUEUE, "jobs", {"delaySeconds": 1}, first)["name"] == "jobs-fffffff"
    assert offline.check(QUEUE, "jobs", {"delaySeconds": 1})["name"] != "jobs-fffffff"


def test_a_name_that_the_program_gave_once_is_not_kept_when_it_is_taken_away(offline: Driver):
    first = offline.check(QUEUE, "jobs", {"name": "mine"})

    assert offline.check(QUEUE, "jobs", {}, first)["name"] == "jobs-0001020"


def test_a_generated_name_that_is_too_long_is_refused(offline: Driver):
    with pytest.raises(CheckFailedError) as refused:
        offline.check(ROLE, "r" * 60, {"assumeRolePolicy": TRUST})

    assert "64" in refused.value.failures["name"]


def test_everything_that_is_wrong_is_told_at_once(offline: Driver):
    given = {
        "role": "r",
        "memorySize": "much",
        "timeout": 901,
        "environment": {"variables": {"A": ["x"]}, "other": 1},
        "loggingConfig": {},
        "packageType": "Image",
    }

    with pytest.raises(CheckFailedError) as refused:
        offline.check(FUNCTION, "f", given)

    assert set(refused.value.failures) == {
        *("code", "handler", "runtime"),
        "memorySize",
        "timeout",
        "environment.variables.A",
        "environment.other",
        "loggingConfig.logFormat",
        "packageType",
    }


def test_a_wrong_value_is_not_repeated_for_it_may_be_a_secret(offline: Driver):
    with pytest.raises(CheckFailedError) as refused:
        offline.check(FUNCTION, "f", {"role": "r", "timeout": "hunter2"})

    assert "hunter2" not in str(refused.value)


def test_texts_that_spell_numbers_and_truths_are_taken(offline: Driver):
    given = {"name": "jobs", "delaySeconds": "7", "sqsManagedSseEnabled": "true"}

    inputs = offline.check(QUEUE, "jobs", given)

    assert inputs["delaySeconds"] == 7
    assert inputs["sqsManagedSseEnabled"] is True


def test_a_policy_may_be_an_object(offline: Driver):
    inputs = offline.check(ROLE, "r", {"assumeRolePolicy": json.loads(TRUST)})

    assert json.loads(inputs["assumeRolePolicy"]) == json.loads(TRUST)


def test_a_policy_that_is_no_json_is_refused(offline: Driver):
    with pytest.raises(CheckFailedError) as refused:
        offline.check(ROLE, "r", {"assumeRolePolicy": "{"})

    assert "JSON" in refused.value.failures["assumeRolePolicy"]


def test_what_is_not_known_yet_passes_every_check(offline: Driver):
    given = {"role": UNKNOWN, "timeout": UNKNOWN, "code": UNKNOWN, "handler": UNKNOWN}

    inputs = offline.check(FUNCTION, "f", {**given, "runtime": "python3.11"})

    assert {name: inputs[name] for name in given} == given


def test_code_that_is_no_archive_is_refused(offline: Driver):
    given = {"role": "r", "handler": "h", "runtime": "python3.11", "code": asset(text="x")}

    with pytest.raises(CheckFailedError) as refused:
        offline.check(FUNCTION, "f", given)

    assert "expected an archive" in refused.value.failures["code"]


def test_a_function_without_code_is_refused(offline: Driver):
    with pytest.raises(CheckFailedError) as refused:
        offline.check(FUNCTION, "f", {"role": "r", "handler": "h", "runtime": "python3.11"})

    assert set(refused.value.failures) == {"code"}


def test_secrets_stay_secret_through_check_and_preview(offline: Driver):
    secret = lift(
        {
            "role": "r",
            "code": CODE,
            "handler": "h",
            "runtime": "python3.11",
            "environment": {"variables": {"PASSWORD": "hush", "PLAIN": "x"}},
        },
        frozenset({("environment", "variables", "PASSWORD")}),
    )
    urn = offline.urn(FUNCTION, "f")
    checked = offline.provider.check(pb.CheckRequest(urn=urn, news=secret)).inputs
    planned = offline.provider.create(pb.CreateRequest(urn=urn, properties=checked, preview=True))

    assert lower(checked)[1] == {("environment", "variables", "PASSWORD")}
    assert lower(planned.properties)[1] == {("environment", "variables", "PASSWORD")}


def test_a_document_made_of_an_object_with_a_secret_is_a_secret(offline: Driver):
    statement = {"Effect": "Allow", "Principal": "hush", "Action": "sts:AssumeRole"}
    where = frozenset({("assumeRolePolicy", "Statement", 0, "Principal")})
    news = lift({"assumeRolePolicy": {"Statement": [statement]}, "description": "x"}, where)

    checked = offline.provider.check(pb.CheckRequest(urn=offline.urn(ROLE, "r"), news=news))

    assert lower(checked.inputs)[1] == {("assumeRolePolicy",)}
