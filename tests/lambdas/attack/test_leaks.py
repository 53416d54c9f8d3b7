"""No token, no name, no address and no text of an exception leaves the Lambdas."""

import json

import pytest

from tests.gateway.backend import Backend
from tests.gateway.calls import Refusal

SECRETS = ("Layla", "+964 770", "Karrada", "secret body", "m1@example.com", "eyJ")


def test_logs_hold_no_token_and_no_personal_data(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.business("b1", owner="m1")
    merchant, customer = backend.merchant("m1", "b1"), backend.customer("c1")
    merchant.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.order("o1")
    backend.deliver()
    customer.ask("subscribe_order", orderId="o1")
    merchant.ask("order_message", orderId="o1", to="customer", body="secret body")
    merchant.ask("REGISTER_CONNECTION", businessId="b1", token="eyJ.not.valid")
    backend.orders.update("o1", status="confirmed")
    backend.deliver()
    backend.sweep()
    output = capsys.readouterr()
    logged = output.out + output.err
    lines = [json.loads(line) for line in logged.splitlines()]
    assert len(lines) > 10
    for secret in (*SECRETS, merchant.connection_id, customer.connection_id):
        assert secret not in logged
    assert all("user" not in str(line.get("_aws", "")) for line in lines)


def test_one_line_per_message_says_what_it_was_and_how_it_ended(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    device = backend.device()
    capsys.readouterr()
    device.ask("PING")
    device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.gateway.settle()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    messages = [line for line in lines if line.get("message") == "message"]
    assert [(m["route_key"], m["outcome"], m.get("error_code")) for m in messages] == [
        ("PING", "ok", None),
        ("SUBSCRIBE_ORDERS", "refused", "not_registered"),
    ]
    for line in messages:
        assert {"level", "timestamp", "service", "function_name", "cold_start"} <= set(line)
        assert {"request_id", "extended_request_id", "correlation_id"} <= set(line)
        assert (line["event_type"], "entity_type" in line) == ("MESSAGE", False)
        assert line["duration_ms"] >= 0


def test_the_line_of_a_message_says_what_its_sender_was_proved_to_be(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.business("b1", owner="m1")
    merchant, customer = backend.merchant("m1", "b1"), backend.customer("c1")
    for action in ("SUBSCRIBE_ORDERS", "HEARTBEAT", "MERCHANT_LOGOUT"):
        merchant.ask(action, businessId="b1")
    customer.ask("subscribe_business_status", businessId="b1")
    customer.ask("BUSINESS_STATUS_UPDATE", businessId="b1", isActive=True)
    backend.gateway.settle()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    messages = [line for line in lines if line.get("message") == "message"]
    assert [(line["route_key"], line["entity_type"]) for line in messages] == [
        ("REGISTER_CONNECTION", "merchant"),
        ("REGISTER_CONNECTION", "customer"),
        ("SUBSCRIBE_ORDERS", "merchant"),
        ("HEARTBEAT", "merchant"),
        ("MERCHANT_LOGOUT", "merchant"),
        ("subscribe_business_status", "customer"),
        ("BUSINESS_STATUS_UPDATE", "customer"),
    ]


def test_metrics_have_bounded_dimensions(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    device = backend.device()
    for number in range(5):
        device.ask("PING")
        device.send("MADE_UP_" + str(number))
    backend.gateway.settle()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    metrics = [line for line in lines if "_aws" in line]
    assert metrics
    for metric in metrics:
        (group,) = metric["_aws"]["CloudWatchMetrics"]
        assert group["Dimensions"] == [["stage", "entityType", "eventType"]]
        assert "MADE_UP" not in str(metric)


def test_a_fault_behind_a_message_is_told_to_nobody(
    backend: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.business("b1", owner="m1")
    device = backend.merchant("m1", "b1")
    refusal = Refusal(
        code="ValidationException", members={"Message": "secret detail of table connections-123"}
    )
    backend.calls.refuse = lambda _call, _number: refusal
    answer = device.ask("SUBSCRIBE_ORDERS", businessId="b1")
    backend.calls.heal()
    assert (answer["type"], answer["code"]) == ("ERROR", "unavailable")
    assert "secret detail" not in str(answer)
    logged = capsys.readouterr().out
    assert "secret detail" not in logged
    assert "ValidationException" in logged
