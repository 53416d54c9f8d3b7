"""What a change is, and what it forces."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.aws.values import UNKNOWN
from tests.sandbox.aws.driver import Driver, Resource, archive
from tests.sandbox.aws.examples import CODE, OTHER_CODE

FUNCTION = "aws:lambda/function:Function"
QUEUE = "aws:sqs/queue:Queue"
ROUTE = "aws:apigatewayv2/route:Route"
PLAIN = {"role": "r", "code": CODE, "handler": "h", "runtime": "python3.11", "name": "f"}


def deployed(offline: Driver, token: str, /, **inputs: Any) -> Resource:
    """A resource as a deployment leaves it, without one."""
    checked = offline.check(token, "it", inputs)
    outputs = {name: value for name, value in checked.items() if name != "__defaults"}
    return Resource(offline.urn(token, "it"), checked, "id", {**outputs, "region": "eu-west-1"})


def changed(answer: Any) -> bool:
    return answer.changes == answer.DIFF_SOME


def test_every_property_that_changed_is_named(offline: Driver):
    it = deployed(
        offline,
        FUNCTION,
        **PLAIN,
        description="one",
        environment={"variables": {"A": "1", "B": "2", "odd key": "3"}},
    )

    answer = offline.diff(
        it,
        **PLAIN,
        memorySize=512,
        tracingConfig={"mode": "Active"},
        environment={"variables": {"A": "9", "C": "", "odd key": "4"}},
    )

    assert list(answer.diffs) == ["description", "environment", "memorySize", "tracingConfig"]
    assert list(answer.replaces) == []


@pytest.mark.parametrize("variables", [{"A": ""}, {"A": "1", "B": ""}, {}])
def test_in_a_map_an_empty_text_is_a_value_and_not_an_absence(offline: Driver, variables):
    it = deployed(offline, FUNCTION, **PLAIN, environment={"variables": {"A": "1"}})

    answer = offline.diff(it, **PLAIN, environment={"variables": variables})

    assert list(answer.diffs) == ["environment"]


def test_a_property_that_forces_a_replacement_says_so(offline: Driver):
    it = deployed(offline, QUEUE, name="one")

    answer = offline.diff(it, name="two")

    assert list(answer.replaces) == ["name"]
    assert not answer.deleteBeforeReplace, "the names differ, so both can exist"


def test_a_replacement_under_the_same_given_name_deletes_first(offline: Driver):
    it = deployed(offline, "aws:cloudwatch/logGroup:LogGroup", name="/a", kmsKeyId="one")

    answer = offline.diff(it, name="/a", kmsKeyId="two")

    assert list(answer.replaces) == ["kmsKeyId"]
    assert answer.deleteBeforeReplace


def test_a_replacement_under_a_generated_name_creates_first(offline: Driver):
    it = deployed(offline, "aws:cloudwatch/logGroup:LogGroup", kmsKeyId="one")

    answer = offline.diff(it, kmsKeyId="two")

    assert list(answer.replaces) == ["kmsKeyId"]
    assert not answer.deleteBeforeReplace


def test_what_is_not_known_yet_is_a_change_and_replaces_where_a_change_would(offline: Driver):
    it = deployed(offline, ROUTE, apiId="a", routeKey="PING", target="integrations/1")

    answer = offline.diff(it, apiId=UNKNOWN, routeKey="PING", target=UNKNOWN)

    assert list(answer.diffs) == ["apiId", "target"]
    assert list(answer.replaces) == ["apiId"]
    assert not answer.deleteBeforeReplace, "another API has room for the same route key"


def test_sets_are_equal_in_any_order_and_lists_are_not(offline: Driver):
    alarm = "aws:cloudwatch/metricAlarm:MetricAlarm"
    base = {
        "comparisonOperator": "GreaterThanThreshold",
        "evaluationPeriods": 1,
        "metricName": "m",
        "name": "a",
    }
    it = deployed(offline, alarm, **base, alarmActions=["a", "b", "c"])
    layered = deployed(offline, FUNCTION, **PLAIN, layers=["a", "b"])

    assert not changed(offline.diff(it, **base, alarmActions=["c", "a", "b"]))
    for other in (["c", "d", "a"], ["a", "b"], ["a", "b", "b"], ["a", "b", "c", "d"]):
        assert list(offline.diff(it, **base, alarmActions=other).diffs) == ["alarmActions"]
    assert list(offline.diff(layered, **PLAIN, layers=["b", "a"]).diffs) == ["layers"]


def test_documents_are_compared_by_what_they_say(offline: Driver):
    it = deployed(offline, QUEUE, name="q", redrivePolicy='{"maxReceiveCount":5,"a":1}')

    assert not changed(offline.diff(it, name="q", redrivePolicy='{"a": 1, "maxReceiveCount": 5}'))
    assert changed(offline.diff(it, name="q", redrivePolicy='{"a": 2, "maxReceiveCount": 5}'))


def test_a_property_that_the_cloud_filled_in_may_be_left_out(offline: Driver):
    it = deployed(offline, QUEUE, name="q")
    it.outputs["sqsManagedSseEnabled"] = True

    assert not changed(offline.diff(it, name="q"))
    assert changed(offline.diff(it, name="q", sqsManagedSseEnabled="false"))


def test_a_function_may_be_named_by_its_name_or_its_arn(offline: Driver):
    mapping = "aws:lambda/eventSourceMapping:EventSourceMapping"
    it = deployed(offline, mapping, functionName="f", eventSourceArn="e")

    arn = "arn:aws:lambda:eu-west-1:000000000000:function:f"
    assert not changed(offline.diff(it, functionName=arn, eventSourceArn="e"))
    assert changed(offline.diff(it, functionName=f"{arn}2", eventSourceArn="e"))


def test_ignored_changes_are_left_out(offline: Driver):
    it = deployed(offline, FUNCTION, **PLAIN, environment={"variables": {"A": "1"}})
    wanted = {**PLAIN, "memorySize": 512, "environment": {"variables": {"A": "2"}}}

    assert list(offline.diff(it, ("environment",), **wanted).diffs) == ["memorySize"]
    assert not changed(offline.diff(it, ("*",), **wanted))


def test_changed_code_is_a_change_of_the_code(offline: Driver):
    it = deployed(offline, FUNCTION, **PLAIN)

    answer = offline.diff(it, **{**PLAIN, "code": OTHER_CODE})

    assert list(answer.diffs) == ["code"]


def test_the_same_code_in_another_place_is_no_change(offline: Driver, tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.py").write_text("def handler(e, c): return 1\n")
    it = deployed(offline, FUNCTION, **{**PLAIN, "code": archive(path="one")})

    for same in (archive(path="two"), archive(path=str(tmp_path / "one")), CODE):
        assert not changed(offline.diff(it, **{**PLAIN, "code": same}))


@pytest.mark.parametrize("tags", [{"a": "1"}, {}])
def test_default_tags_of_the_provider_count_as_the_resources_own(offline: Driver, tags):
    it = deployed(offline, QUEUE, name="q", tags=tags)
    it.outputs["tagsAll"] = dict(tags)

    assert not changed(offline.diff(it, name="q", tags=tags))
    offline.configure(defaultTags={"tags": {"team": "merchants"}})
    assert list(offline.diff(it, name="q", tags=tags).diffs) == ["tagsAll"]
