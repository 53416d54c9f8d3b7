"""Alarms and dashboard: complete, within CloudWatch's limits, and told of in the runbook."""

from __future__ import annotations

import json
import re
from typing import Any

from components.delivery_alarms import DELIVERIES
from lambdas import catalogue, events
from lambdas.catalogue import METRIC_DIMENSIONS, METRICS_NAMESPACE, Metric
from tests.components.conftest import Configure
from tests.components.program import build
from tests.components.recording import ORDERS, ROOT, Engine

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
FUNCTION = "aws:lambda/function:Function"
PREFIX = "order-receiver-test-"
METRICS_OF_AN_ALARM = 10
"""CloudWatch takes no more in one expression."""
TOPIC = "arn:aws:sns:us-east-1:123456789012:page"


def alarms(engine: Engine, configure: Configure, **settings: Any) -> dict[str, dict[str, Any]]:
    configure(ordersTable=ORDERS, **settings)
    build()
    return {
        inputs["name"].removeprefix(PREFIX): inputs for inputs in engine.of_type(ALARM).values()
    }


def measured(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics of an alarm, whichever way it names them."""
    if "metricQueries" not in alarm:
        return [alarm]
    return [query["metric"] for query in alarm["metricQueries"] if "metric" in query]


def test_every_alarm_has_its_line_in_the_runbook_and_no_line_is_left_over(
    engine: Engine, configure: Configure
) -> None:
    everything = {entry.name: 10 for entry in catalogue.ENTRY_POINTS}
    names = set(alarms(engine, configure, reservedConcurrency=everything))
    text = (ROOT / "docs" / "operations.md").read_text()
    runbook = text.split("\n## Alarms\n")[1].split("\n## ")[0]
    lines = set(re.findall(r"^\| `([a-z-]+)` \|", runbook, re.MULTILINE))
    assert lines == names


def test_the_gateway_is_watched_as_aws_recommends(engine: Engine, configure: Configure) -> None:
    found = alarms(engine, configure)
    for name, metric, points in (
        ("api-client-errors", "ClientError", 5),
        ("api-execution-errors", "ExecutionError", 3),
        ("api-integration-errors", "IntegrationError", 3),
    ):
        alarm = found[name]
        assert (alarm["metricName"], alarm["statistic"]) == (metric, "Average")
        assert (alarm["threshold"], alarm["period"]) == (0.05, 60)
        assert (alarm["datapointsToAlarm"], alarm["evaluationPeriods"]) == (points, points)
        assert alarm["comparisonOperator"] == "GreaterThanThreshold"
        assert alarm["dimensions"] == {"ApiId": "abc123", "Stage": "test"}
    assert found["api-integration-latency"]["extendedStatistic"] == "p99"
    assert found["api-connect-rate"]["threshold"] == 400 * 60


def test_every_lambda_is_watched_for_errors_throttles_and_time(
    engine: Engine, configure: Configure
) -> None:
    found = alarms(engine, configure)
    for inputs in engine.of_type(FUNCTION).values():
        label = inputs["name"].removeprefix(PREFIX)
        for what in ("errors", "throttles", "duration"):
            dimensions = [one["dimensions"] for one in measured(found[f"{label}-{what}"])]
            assert all(each == {"FunctionName": inputs["name"]} for each in dimensions)
        assert found[f"{label}-duration"]["threshold"] == 800 * inputs["timeout"]


def test_a_reservation_brings_its_own_alarm(engine: Engine, configure: Configure) -> None:
    found = alarms(engine, configure, reservedConcurrency={"fanout": 10})
    assert [name for name in found if name.endswith("-concurrency")] == ["fanout-concurrency"]
    assert found["fanout-concurrency"]["threshold"] == 8


def test_one_dead_letter_is_enough(engine: Engine, configure: Configure) -> None:
    alarm = alarms(engine, configure)["dead-letters"]
    assert alarm["dimensions"] == {"QueueName": f"{PREFIX}dead-letters"}
    assert (alarm["threshold"], alarm["evaluationPeriods"]) == (0, 1)


def test_silence_is_only_alarming_where_somebody_should_speak(
    engine: Engine, configure: Configure
) -> None:
    found = alarms(engine, configure)
    breaching = [name for name, one in found.items() if one["treatMissingData"] == "breaching"]
    assert breaching == ["janitor-silent"]
    assert found["janitor-silent"]["comparisonOperator"] == "LessThanThreshold"
    assert found["janitor-silent"]["period"] == 2 * catalogue.JANITOR_PERIOD_MINUTES * 60


def test_our_own_metrics_are_asked_for_as_they_are_published(
    engine: Engine, configure: Configure
) -> None:
    known = {str(metric) for metric in Metric}
    ours = [
        one
        for alarm in alarms(engine, configure).values()
        for one in measured(alarm)
        if one["namespace"] == METRICS_NAMESPACE
    ]
    assert ours
    for one in ours:
        assert one["metricName"] in known
        assert set(one["dimensions"]) == set(METRIC_DIMENSIONS)
        assert one["dimensions"]["stage"] == "test"


def test_failed_deliveries_are_counted_for_every_event_that_there_is() -> None:
    tags = {event.__struct_config__.tag for event in events.EventMessage.__subclasses__()}
    assert {event_type for event_type, _ in DELIVERIES} == tags


def test_an_expression_stays_within_what_an_alarm_may_hold(
    engine: Engine, configure: Configure
) -> None:
    for name, alarm in alarms(engine, configure).items():
        queries = alarm.get("metricQueries", [])
        assert len([query for query in queries if "metric" in query]) <= METRICS_OF_AN_ALARM, name
        if queries:
            assert [query.get("returnData") for query in queries].count(True) == 1, name
            assert not {"metricName", "period", "statistic", "dimensions"} & set(alarm), name
        else:
            assert ("statistic" in alarm) != ("extendedStatistic" in alarm), name


def test_alarms_tell_the_topic_when_there_is_one(engine: Engine, configure: Configure) -> None:
    told = alarms(engine, configure, alarmTopicArn=TOPIC).values()
    assert all(alarm["alarmActions"] == alarm["okActions"] == [TOPIC] for alarm in told)


def test_without_a_topic_an_alarm_only_changes_its_state(
    engine: Engine, configure: Configure
) -> None:
    assert not any("alarmActions" in alarm for alarm in alarms(engine, configure).values())


def test_the_dashboard_fits_its_grid_and_shows_every_alarm(
    engine: Engine, configure: Configure
) -> None:
    found = alarms(engine, configure)
    (dashboard,) = engine.of_type(DASHBOARD).values()
    widgets = json.loads(dashboard["dashboardBody"])["widgets"]
    (listing,) = [widget for widget in widgets if widget["type"] == "alarm"]
    assert len(listing["properties"]["alarms"]) == len(found)
    taken = {
        (x, y)
        for widget in widgets
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    }
    assert len(taken) == sum(widget["width"] * widget["height"] for widget in widgets)
    assert max(x for x, _ in taken) < 24
    shown = json.dumps(widgets)
    for metric in (Metric.EVENT_AGE, Metric.ACTIVE_CONNECTIONS, Metric.DELIVERED, Metric.REFUSED):
        assert metric in shown
