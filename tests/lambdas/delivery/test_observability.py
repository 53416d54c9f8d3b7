"""What is logged and what is measured, line by line."""

import json
import typing
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas import observability
from lambdas.catalogue import METRIC_DIMENSIONS, Metric
from lambdas.observability import Fields, correlated, failure, hashed, invocation, log, metrics
from tests.lambdas.delivery.conftest import Place, broadcast, context, soon


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_says_which_invocation_and_which_message_it_belongs_to(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = context()
    with invocation(now, correlation_id="message-1"):
        log("done", route_key="PING")
    (line,) = lines(capsys)
    assert line["request_id"] == now.aws_request_id
    assert line["function_name"] == "fanout"
    assert line["correlation_id"] == "message-1"
    assert (line["level"], line["message"], line["route_key"]) == ("INFO", "done", "PING")
    assert line["timestamp"].endswith("+00:00")


def test_a_job_is_logged_under_the_message_that_caused_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with invocation(context(), correlation_id="batch"):
        with correlated("message-1"):
            log("inside")
        log("outside")
    assert [line["correlation_id"] for line in lines(capsys)] == ["message-1", "batch"]


def test_only_the_first_invocation_is_a_cold_start(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observability, "_started", [])
    for _ in range(2):
        with invocation(context()):
            log("x")
    assert [line["cold_start"] for line in lines(capsys)] == [True, False]


def test_ids_of_connections_and_people_are_hashed(capsys: pytest.CaptureFixture[str]) -> None:
    log("x", connection_id="R0oXAdfD0kwCH6w=", entity_id="user-1", topic="order:o1")
    text = capsys.readouterr().out
    for private in ("R0oXAdfD0kwCH6w", "user-1", "o1"):
        assert private not in text
    line = json.loads(text)
    assert line["connection_id"] == hashed("R0oXAdfD0kwCH6w=")
    assert line["entity_id_hash"] == hashed("user-1")


@pytest.mark.parametrize("name", ["token", "body", "email", "phone", "customer_name", "headers"])
def test_there_is_no_field_for_a_secret_or_for_what_people_say(name: str) -> None:
    assert not any(name in field for field in typing.get_type_hints(Fields))


def test_of_an_exception_only_type_place_and_code_are_logged() -> None:
    error = ClientError(
        {"Error": {"Code": "ThrottlingException", "Message": "user-1 is throttled"}}, "Query"
    )
    try:
        raise error
    except ClientError as caught:
        fields = failure(caught)
    assert fields["error_type"] == "ClientError"
    assert fields.get("error_code") == "ThrottlingException"
    assert fields.get("where", "").startswith("test_observability.py:")
    assert "user-1" not in json.dumps(fields)


@pytest.mark.parametrize(
    ("level", "written"), [("DEBUG", 2), ("INFO", 1), ("ERROR", 0), ("nonsense", 1)]
)
def test_the_level_of_the_environment_holds(
    level: str, written: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_LEVEL", level)
    log("a", level="DEBUG")
    log("b")
    assert len(lines(capsys)) == written


def test_metrics_have_exactly_the_bounded_dimensions(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "dev")
    metrics({Metric.DELIVERED: 3, Metric.EVENT_AGE: 12.5}, entity_type="driver", event_type="X")
    (document,) = lines(capsys)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "OrderReceiver"
    assert directive["Dimensions"] == [list(METRIC_DIMENSIONS)]
    assert directive["Metrics"] == [
        {"Name": "FanoutDelivered", "Unit": "Count"},
        {"Name": "EventAgeMs", "Unit": "Milliseconds"},
    ]
    assert [document[name] for name in METRIC_DIMENSIONS] == ["dev", "driver", "X"]
    assert (document["FanoutDelivered"], document["EventAgeMs"]) == (3, 12.5)
    assert abs(document["_aws"]["Timestamp"] / 1000 - __import__("time").time()) < 60


def test_a_dimension_that_does_not_apply_is_all(capsys: pytest.CaptureFixture[str]) -> None:
    metrics({Metric.POISON: 1})
    (document,) = lines(capsys)
    assert (document["entityType"], document["eventType"]) == ("all", "all")


def test_nothing_to_publish_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    metrics({})
    assert lines(capsys) == []


def test_a_delivery_is_one_line_that_names_event_and_message_and_no_recipient(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    from lambdas import fanout

    ids = place.subscribed(3, "merchant_status_b1")
    with invocation(context()), correlated("message-1"):
        fanout.run(broadcast("merchant_status_b1"), deadline=soon())
    text = capsys.readouterr().out
    assert not any(one in text for one in ids)
    (line,) = (json.loads(one) for one in text.splitlines() if "_aws" not in one)
    assert (line["event_id"], line["correlation_id"]) == ("event-1", "message-1")
    assert (line["recipients"], line["delivered"]) == (3, 3)
