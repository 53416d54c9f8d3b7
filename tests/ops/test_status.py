"""What `status` counts and compares, what it prints, and what it does when it may not look."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from components import table_contract
from ops.__main__ import ops
from ops.errors import OperatorError
from ops.status import command, contract, sections
from ops.status.contract import api_differences, route_differences, table_differences
from ops.status.sections import Section
from ops.status.tables import Connections, Subscriptions
from sandbox.cloud import Cloud
from tests.gateway.tables import Tables, to_image
from tests.ops.repair.rows import at, connection, subscription

NOW = time.time()


def _counted(*rows: dict[str, Any]) -> Connections:
    from ops.paced import plain

    counts = Connections()
    counts.count([plain(to_image(row)) for row in rows], NOW)
    return counts


# --- Counting -------------------------------------------------------------------------------------


def test_connections_are_counted_by_app_and_age() -> None:
    counts = _counted(
        connection("a=", connectedAt=at(60)),
        connection("b=", connectedAt=at(1800)),
        connection("c=", connectedAt=at(1860), entityType="driver"),
    )
    assert counts.by_app == {
        "customer": {"under 10 min": 1, "under 1 h": 1},
        "driver": {"under 1 h": 1},
    }


@pytest.mark.parametrize(
    ("other", "app"),
    [
        ({"entityType": None, "userType": "agent"}, "agent"),
        ({"isVirtualConnection": True}, "virtual"),
        ({"entityType": None}, "unknown"),
    ],
)
def test_an_app_is_known_by_whichever_attribute_its_rows_have(
    other: dict[str, Any], app: str
) -> None:
    assert list(_counted(connection(**other)).by_app) == [app]


@pytest.mark.parametrize(
    "other", [{"ttl": int(NOW) - 1}, {"connectedAt": at(3 * 3600)}], ids=["expired", "too old"]
)
def test_a_row_past_its_end_is_stale_and_not_counted_as_connected(other: dict[str, Any]) -> None:
    counts = _counted(connection(**other))
    assert (counts.stale, counts.by_app) == (1, {})


def test_a_connection_without_a_readable_time_counts_as_old() -> None:
    assert _counted(connection(connectedAt="yesterday")).by_app == {"customer": {"over 2 h": 1}}


def test_subscriptions_are_counted_by_topic_kind_and_orphans_apart() -> None:
    counts = Subscriptions()
    rows = [
        {"connectionId": "a=", "topic": "business:b1"},
        {"connectionId": "gone=", "topic": "order:o1"},
        {"topic": "merchant_status_b1"},
        {"connectionId": "a=", "topic": "orderly"},
        {"connectionId": "a=", "topic": "business:b1", "ttl": NOW - 1},
    ]
    counts.count(rows, {"a="}, NOW)
    assert counts.by_kind == {"business": 1, "order": 1, "merchant_status": 1, "other": 1}
    assert (counts.orphans, counts.stale) == (1, 1)


# --- Comparing ------------------------------------------------------------------------------------

API = {"ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}
LIVE = [{"StageName": "dev", "AutoDeploy": True}]


@pytest.mark.parametrize(
    ("api", "stages", "said"),
    [
        (API, LIVE, []),
        (API, [{"StageName": "dev", "AutoDeploy": False}], ["no longer deploys by itself"]),
        (API | {"RouteSelectionExpression": "$request.body.type"}, [], ["selects routes", "gone"]),
        (API | {"ProtocolType": "HTTP"}, LIVE, ["not WEBSOCKET"]),
    ],
    ids=["as it was", "no AutoDeploy", "selection and stage", "protocol"],
)
def test_what_differs_of_the_api_is_told(
    api: dict[str, Any], stages: list[dict[str, Any]], said: list[str]
) -> None:
    found = [text for _, text in api_differences(api, stages, "dev")]
    assert len(found) == len(said)
    assert all(part in text for part, text in zip(said, found, strict=True))


def test_a_route_of_ours_that_is_gone_or_leads_elsewhere_is_told() -> None:
    integrations = {
        "i1": "arn:aws:lambda:r:1:function:ours/invocations",
        "i2": "arn:aws:lambda:r:1:function:theirs/invocations",
    }
    routes = {"PING": "integrations/i1", "HEARTBEAT": "integrations/i2", "heartbeat": ""}
    found = route_differences(("PING", "HEARTBEAT", "heartbeat", "x"), routes, integrations, "ours")
    assert list(found) == [
        ("route HEARTBEAT", "it leads to theirs, not to ours"),
        ("route heartbeat", "it leads to nowhere, not to ours"),
        ("route x", "it is gone"),
    ]


def _description(of: contract.Contract, **other: Any) -> dict[str, Any]:
    indexes = [
        {"IndexName": name, "KeySchema": [{"AttributeName": key} for key in keys]}
        for name, keys in of.indexes.items()
    ]
    stream = {"StreamEnabled": of.stream, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    return {
        "KeySchema": [{"AttributeName": of.key}],
        "GlobalSecondaryIndexes": indexes,
        "StreamSpecification": stream,
    } | other


@pytest.mark.parametrize(
    "of", [contract.CONNECTIONS, contract.SUBSCRIPTIONS, contract.BUSINESSES, contract.ORDERS]
)
def test_a_table_as_we_rely_on_it_shows_no_difference(of: contract.Contract) -> None:
    assert list(table_differences("t", _description(of), "ttl", of)) == []


@pytest.mark.parametrize(
    ("other", "ttl", "said"),
    [
        ({"KeySchema": [{"AttributeName": "PK"}, {"AttributeName": "SK"}]}, "ttl", "key is PK, SK"),
        ({"GlobalSecondaryIndexes": []}, "ttl", "no usable index"),
        ({}, None, "no longer expire"),
        ({"TableStatus": "DELETING"}, "ttl", "is DELETING"),
    ],
    ids=["key", "index", "ttl", "status"],
)
def test_what_differs_of_a_table_is_told(other: dict[str, Any], ttl: str | None, said: str) -> None:
    of = contract.CONNECTIONS
    ((subject, text),) = table_differences("t", _description(of, **other), ttl, of)
    assert (subject, said in text) == ("table t", True)


def test_an_index_on_other_attributes_or_still_building_is_told() -> None:
    of = replace(contract.CONNECTIONS, indexes={"one": ("a", "b"), "two": ("a", "b")})
    description = _description(of)
    description["GlobalSecondaryIndexes"][0]["IndexStatus"] = "CREATING"
    description["GlobalSecondaryIndexes"][1]["KeySchema"] = [{"AttributeName": "c"}]
    found = [text for _, text in table_differences("t", description, "ttl", of)]
    assert found == ["it has no usable index one", "its index two is on c, not a, b"]


@pytest.mark.parametrize(
    "stream", [{"StreamEnabled": False}, {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}]
)
def test_orders_that_are_not_noticed_are_told(stream: dict[str, Any]) -> None:
    description = _description(contract.ORDERS, StreamSpecification=stream)
    ((_, text),) = table_differences("t", description, None, contract.ORDERS)
    assert "orders are not noticed" in text


@pytest.mark.parametrize("name", ["CONNECTIONS", "SUBSCRIPTIONS", "BUSINESSES", "ORDERS"])
def test_status_relies_on_what_a_deployment_verifies(name: str) -> None:
    ours, theirs = getattr(contract, name), getattr(table_contract, name)
    assert ours.key == theirs.hash_key
    assert ours.indexes == {
        index.name: (index.hash_key, index.range_key) for index in theirs.indexes
    }
    assert (ours.ttl, ours.stream) == (theirs.ttl, theirs.stream)


# --- Printing -------------------------------------------------------------------------------------


@pytest.fixture
def outputs(cloud: Cloud, tmp_path: Path) -> Iterator[Path]:
    """A stack of which there are tables with rows, and nothing else."""
    tables = Tables.create(cloud)
    tables.connections.put(connection("a="))
    tables.subscriptions.put_all([subscription("a=_business_status_1"), subscription("gone=_x")])
    document = {
        "sharedWebSocketApiId": "none",
        "webSocketUrl": "ws://127.0.0.1/none/sandbox",
        "managementEndpoint": "http://127.0.0.1/none/sandbox",
        "connectionsTable": tables.connections.name,
        "subscriptionsTable": tables.subscriptions.name,
        "functions": {"websocket": "order-receiver-none-websocket"},
        "fanoutQueueUrl": f"{cloud.endpoint}/000000000000/none",
        "sandbox": {"endpoint": cloud.endpoint, "region": cloud.region, "users": []},
    }
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    yield file
    tables.drop()


def _run(outputs: Path, *options: str) -> Result:
    return CliRunner().invoke(ops, ["status", "--outputs", str(outputs), *options])


@pytest.mark.cloud
def test_a_section_that_cannot_be_read_says_why_and_hides_no_other(outputs: Path) -> None:
    result = _run(outputs, "--json")
    found = json.loads(result.stdout)
    assert found["connections"] == {"customer, under 10 min": 1, "past their end": 0}
    assert found["subscriptions"]["without a connection"] == 1
    for heading in ("fan-out queue", "versions deployed", "shared platform"):
        assert "found nothing in the sandbox" in found[heading]["could not be read"]
    assert result.exit_code == 2


@pytest.mark.cloud
def test_alarms_of_other_stacks_do_not_count(outputs: Path, cloud: Cloud) -> None:
    client = cloud.client("cloudwatch")
    names = ["order-receiver-none-errors", "order-receiver-none2-errors", "mine-none"]
    for name in names:
        client.put_metric_alarm(
            AlarmName=name,
            Namespace="n",
            MetricName="m",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    try:
        found = json.loads(_run(outputs, "--json").stdout)["alarms"]
    finally:
        client.delete_alarms(AlarmNames=names)
    assert set(found) == {"order-receiver-none-errors", "all"}
    assert found["all"] == "1 ALARM"


def _watched(monkeypatch: pytest.MonkeyPatch, *looks: list[Section] | OperatorError) -> list[float]:
    """Have `--watch` see these, one after the other, and then Ctrl-C."""
    waited: list[float] = []
    coming = list(looks)

    def gather(*_: object) -> list[Section]:
        look = coming.pop(0)
        if isinstance(look, OperatorError):
            raise look
        return look

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if not coming:
            raise KeyboardInterrupt

    monkeypatch.setattr(command, "gather", gather)
    monkeypatch.setattr(command.time, "sleep", sleep)
    return waited


def _section(value: int) -> list[Section]:
    return [Section(heading="fan-out queue", rows=(("waiting", value),))]


def test_watch_refreshes_until_it_is_interrupted(
    outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = _watched(monkeypatch, _section(7001), _section(7002), _section(7003))
    result = _run(outputs, "--watch", "5")
    assert [number in result.stdout for number in ("7,001", "7,002", "7,003")] == [True] * 3
    assert waited == [5, 5, 5]
    assert result.exit_code == 0


def test_watch_goes_on_when_a_look_fails_and_shows_what_it_knew(
    outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _watched(monkeypatch, _section(7001), OperatorError("AWS cannot be reached"), _section(7003))
    result = _run(outputs, "--watch", "5")
    assert result.stdout.count("7,001") == 2
    assert "not refreshed: AWS cannot be reached" in " ".join(result.stdout.split())
    assert "7,003" in result.stdout


def test_watched_json_is_an_object_a_line(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _watched(monkeypatch, _section(1), _section(2))
    lines = _run(outputs, "--watch", "5", "--json").stdout.splitlines()
    assert [json.loads(line)["fan-out queue"]["waiting"] for line in lines] == [1, 2]


def test_where_nothing_can_be_read_there_is_one_reason_and_not_a_table(
    outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> list[Section]:
        raise OperatorError("the sandbox's cloud does not answer")

    for part in ("_tables", "_queue", "_alarms", "_versions", "_platform"):
        monkeypatch.setattr(sections, part, gone)
    result = _run(outputs)
    assert result.exit_code == 2
    assert result.output.count("does not answer") == 1
