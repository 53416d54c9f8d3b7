"""Updates and what happened outside: previews of a change, drift, waiting."""

import pytest

from sandbox.aws.errors import CancelledError, IncompleteError, ProviderError
from sandbox.aws.operation import Operation
from sandbox.aws.session import Session
from sandbox.aws.types import TYPES
from sandbox.aws.values import UNKNOWN
from tests.sandbox.aws.driver import Driver
from tests.sandbox.aws.examples import CODE, OTHER_CODE, TRUST

QUEUE = "aws:sqs/queue:Queue"
ROLE = "aws:iam/role:Role"
FUNCTION = "aws:lambda/function:Function"


def operation(**more) -> Operation:
    session = Session(endpoint="http://127.0.0.1:9", region="us-east-1", default_tags={})
    return Operation(type=TYPES[QUEUE], session=session, inputs={}, **more)


def test_waiting_asks_until_it_is_so():
    answers = iter([False, False, True])

    operation().wait(lambda: next(answers), "it is so")

    assert next(answers, "all were asked") == "all were asked"


def test_waiting_ends_with_the_operations_time_and_says_for_what():
    with pytest.raises(ProviderError, match="the moon rises did not happen within 0 s"):
        operation(timeout=0.001).wait(lambda: False, "the moon rises")


def test_waiting_ends_at_once_when_the_engine_cancels():
    it = operation()

    def ask() -> bool:
        it.session.cancelled.set()
        return False

    with pytest.raises(CancelledError, match="the moon rises"):
        it.wait(ask, "the moon rises")


@pytest.mark.cloud
def test_a_preview_of_an_update_keeps_what_will_not_change(driver: Driver, unique):
    role = driver.create(ROLE, unique("role"), assumeRolePolicy=TRUST).outputs["arn"]
    inputs = {"role": role, "handler": "main.handler", "runtime": "python3.11"}
    made = driver.create(FUNCTION, unique("f"), **inputs, code=CODE)

    planned = driver.update(made, preview=True, inputs={**inputs, "code": OTHER_CODE}).outputs

    assert planned["arn"] == made.outputs["arn"]
    assert planned["invokeArn"] == made.outputs["invokeArn"]
    assert planned["lastModified"] == UNKNOWN
    assert planned["codeSha256"] not in (UNKNOWN, made.outputs["codeSha256"])


@pytest.mark.cloud
def test_what_was_changed_outside_is_found_by_a_refresh_and_put_right(
    driver: Driver, cloud, unique
):
    made = driver.create(QUEUE, unique("q"), tags={"a": "1"}, delaySeconds=5)
    sqs = cloud.client("sqs")
    sqs.set_queue_attributes(QueueUrl=made.id, Attributes={"DelaySeconds": "9"})
    sqs.tag_queue(QueueUrl=made.id, Tags={"b": "2"})

    seen = driver.refresh(made)

    assert seen is not None
    assert seen.inputs["delaySeconds"] == 9
    wanted = {"tags": {"a": "1"}, "delaySeconds": 5}
    assert list(driver.diff(seen, **wanted).diffs) == ["delaySeconds", "tags"]
    right = driver.refresh(driver.update(seen, inputs=wanted))
    assert right is not None
    assert right.outputs["delaySeconds"] == 5
    assert right.outputs["tags"] == {"a": "1"}


@pytest.mark.cloud
def test_what_was_taken_away_outside_is_found_too(driver: Driver, cloud, unique):
    inputs = {
        "comparisonOperator": "GreaterThanThreshold",
        "evaluationPeriods": 1,
        "metricName": "m",
        "namespace": "n",
        "period": 60,
        "statistic": "Sum",
        "alarmDescription": "keeps it",
        "dimensions": {"a": "b"},
    }
    made = driver.create("aws:cloudwatch/metricAlarm:MetricAlarm", unique("alarm"), **inputs)
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=made.id,
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="m",
        Namespace="n",
        Period=60,
        Statistic="Sum",
        Threshold=0,
    )

    seen = driver.refresh(made)

    assert seen is not None
    assert list(driver.diff(seen, **inputs).diffs) == ["alarmDescription", "dimensions"]


@pytest.mark.cloud
def test_default_tags_are_put_on_and_not_taken_for_the_programs_own(driver: Driver, cloud, unique):
    driver.configure(defaultTags={"tags": {"team": "merchants"}})
    made = driver.create(QUEUE, unique("q"), tags={"a": "1"})

    seen = driver.refresh(made)

    tags = cloud.client("sqs").list_queue_tags(QueueUrl=made.id)["Tags"]
    assert tags == made.outputs["tagsAll"] == {"team": "merchants", "a": "1"}
    assert seen is not None
    assert seen.outputs["tags"] == {"a": "1"}
    assert not driver.diff(seen, tags={"a": "1"}).diffs


@pytest.mark.cloud
def test_a_name_that_is_taken_is_refused_with_the_clouds_own_words(driver: Driver, unique):
    driver.create(ROLE, "one", name=unique("role"), assumeRolePolicy=TRUST)

    with pytest.raises(ProviderError, match="CreateRole was refused: EntityAlreadyExists"):
        driver.create(ROLE, "two", name=unique("role"), assumeRolePolicy=TRUST)


@pytest.mark.cloud
def test_a_cancel_while_a_new_resource_is_waited_for_still_records_it(driver: Driver, unique):
    role = driver.create(ROLE, unique("role"), assumeRolePolicy=TRUST).outputs["arn"]
    settled = TYPES[FUNCTION].ready

    def cancelled_then(_) -> bool:
        driver.provider.cancel(None)
        return False

    object.__setattr__(TYPES[FUNCTION], "ready", cancelled_then)
    try:
        with pytest.raises(IncompleteError) as ended:
            driver.create(
                FUNCTION,
                "f",
                name=unique("f"),
                role=role,
                handler="main.handler",
                runtime="python3.11",
                code=CODE,
            )
    finally:
        object.__setattr__(TYPES[FUNCTION], "ready", settled)

    assert ended.value.resource_id == unique("f")
    assert "cancelled" in str(ended.value)


def test_a_complaint_about_a_parameter_does_not_repeat_its_value():
    with pytest.raises(ProviderError, match="QueueName") as refused:
        operation().call("create_queue", QueueName={"hunter2": 1})

    assert "hunter2" not in str(refused.value)
