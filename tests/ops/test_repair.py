"""Repair: what it calls wrong, what it leaves alone, and that a second run finds nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ops.__main__ import ops
from ops.repair.decide import connection_fixes, merchants, subscription_fixes
from sandbox.cloud import Cloud

NOW = 1_800_000_000.0


def _merchant(**other: Any) -> dict[str, Any]:
    return {
        "connectionId": "m1=",
        "businessId": "b1",
        "userId": "u1",
        "entityType": "customer",
        "connectedAt": "2027-01-15T08:00:00Z",
        "ttl": NOW + 60,
    } | other


def _subscription(**other: Any) -> dict[str, Any]:
    return {
        "subscriptionId": "m1=_business_status_1",
        "connectionId": "m1=",
        "businessId": "b1",
        "subscriptionType": "business_status",
        "entityType": "merchant",
        "userType": "merchant",
        "topic": "business:b1",
    } | other


def _subscription_kinds(rows: list[dict[str, Any]], *connections: dict[str, Any]) -> list[str]:
    live = {str(row["connectionId"]) for row in connections}
    fixes = subscription_fixes(rows, merchants(connections, NOW), live, NOW)
    return [fix.kind for fix in fixes]


def test_a_merchants_connection_that_calls_itself_a_customer_is_wrong() -> None:
    (fix,) = connection_fixes(merchants([_merchant()], NOW))
    assert fix.values == {"entityType": "merchant"}
    assert fix.expected == {"entityType": "customer"}


@pytest.mark.parametrize(
    "row",
    [
        _merchant(entityType="merchant"),
        _merchant(entityType="driver"),
        _merchant(businessId=None),
        _merchant(isVirtualConnection=True),
        _merchant(ttl=NOW - 1),
    ],
    ids=["right already", "a driver", "no business", "virtual", "expired"],
)
def test_other_connections_are_left_alone(row: dict[str, Any]) -> None:
    assert list(connection_fixes(merchants([row], NOW))) == []


def test_a_merchants_subscription_that_says_customer_is_wrong() -> None:
    row = _subscription(entityType="customer", userType="customer")
    assert _subscription_kinds([row], _merchant()) == ["entity type"]


def test_a_subscription_of_a_connection_that_is_gone_is_an_orphan() -> None:
    assert _subscription_kinds([_subscription(connectionId="gone=")]) == ["orphan"]


def test_a_customers_subscription_is_left_alone_also_when_its_connection_is_gone() -> None:
    row = _subscription(
        subscriptionId="c#merchant_status_b1", subscriptionType="merchant_status", connectionId="c"
    )
    assert _subscription_kinds([row]) == []


def test_an_abandoned_merchant_row_goes_and_the_versioned_status_row_stays() -> None:
    abandoned = {"subscriptionId": "merchant_b1_u1", "entityId": "b1"}
    status = {"subscriptionId": "merchant_status_b1", "entityId": "b1"}
    assert _subscription_kinds([abandoned, status]) == ["abandoned"]


def test_a_merchant_without_a_subscription_gets_one_that_ends_with_its_connection() -> None:
    live = merchants([_merchant()], NOW)
    (fix,) = subscription_fixes([], live, {"m1="}, NOW)
    assert fix.kind == "missing subscription"
    assert fix.key == "m1=#business:b1"
    assert fix.values["ttl"] == NOW + 60


@pytest.fixture
def outputs(cloud: Cloud, unique: Callable[[str], str], tmp_path: Path) -> Iterator[str]:
    """Two empty tables in the sandbox cloud, described as a stack's outputs in a file."""
    client = cloud.client("dynamodb")
    names = {"connectionId": unique("connections"), "subscriptionId": unique("subscriptions")}
    for key, name in names.items():
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    document = {
        "sharedWebSocketApiId": "api",
        "webSocketUrl": "ws://127.0.0.1/api/sandbox",
        "managementEndpoint": "http://127.0.0.1/api/sandbox",
        "connectionsTable": names["connectionId"],
        "subscriptionsTable": names["subscriptionId"],
        "sandbox": {"endpoint": cloud.endpoint, "region": cloud.region, "users": []},
    }
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    yield str(file)
    for name in names.values():
        client.delete_table(TableName=name)


def _run(outputs: str, *options: str) -> dict[str, Any]:
    result = CliRunner().invoke(ops, ["repair", "--outputs", outputs, "--json", *options])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def _fill(cloud: Cloud, outputs: str) -> None:
    client = cloud.client("dynamodb")
    tables = json.loads(Path(outputs).read_text(encoding="utf-8"))
    ttl = {"N": str(int(time.time()) + 600)}
    client.put_item(
        TableName=tables["connectionsTable"],
        Item={
            "connectionId": {"S": "m1="},
            "businessId": {"S": "b1"},
            "entityType": {"S": "customer"},
            "connectedAt": {"S": "2026-11-23T08:00:00Z"},
            "ttl": ttl,
        },
    )
    for key, connection in (("gone_business_status_1", "gone="), ("theirs", "gone=")):
        kind = "business_status" if key.startswith("gone") else "order"
        client.put_item(
            TableName=tables["subscriptionsTable"],
            Item={
                "subscriptionId": {"S": key},
                "connectionId": {"S": connection},
                "businessId": {"S": "b1"},
                "subscriptionType": {"S": kind},
            },
        )


def test_without_apply_nothing_is_written(cloud: Cloud, outputs: str) -> None:
    _fill(cloud, outputs)
    assert _run(outputs) == _run(outputs)


def test_after_an_apply_a_second_run_finds_nothing_and_others_rows_stand(
    cloud: Cloud, outputs: str
) -> None:
    _fill(cloud, outputs)
    first = _run(outputs, "--apply")
    assert first["found"] == {"entity type": 1, "orphan": 1, "missing subscription": 1}
    assert first["outcome"] == {"mended": 3}
    assert _run(outputs)["found"] == {}
    tables = json.loads(Path(outputs).read_text(encoding="utf-8"))
    left = cloud.client("dynamodb").scan(TableName=tables["subscriptionsTable"])["Items"]
    assert {item["subscriptionId"]["S"] for item in left} == {"theirs", "m1=#business:b1"}
