"""The counts and the comparison behind `status`, on rows and answers as AWS gives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ops.status.platform import api_drift, table_drift
from ops.status.tables import count_connections, count_subscriptions

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def _connection(minutes: float, **other: Any) -> dict[str, Any]:
    at = (NOW - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    return {
        "connectionId": f"c{minutes}=",
        "entityType": "merchant",
        "connectedAt": at,
        "ttl": NOW.timestamp() + 60,
    } | other


def test_connections_are_counted_by_app_and_age() -> None:
    rows = [_connection(1), _connection(30), _connection(31, entityType="driver")]
    counts = count_connections(rows, NOW.timestamp())
    assert counts.by_app == {
        ("merchant", "under 10 min"): 1,
        ("merchant", "under 1 h"): 1,
        ("driver", "under 1 h"): 1,
    }


def test_a_row_past_its_ttl_is_stale_and_not_counted_as_connected() -> None:
    counts = count_connections([_connection(1, ttl=NOW.timestamp() - 1)], NOW.timestamp())
    assert counts.stale == 1
    assert not counts.by_app
    assert not counts.ids


def test_a_connection_without_a_readable_time_counts_as_old() -> None:
    counts = count_connections([_connection(1, connectedAt="yesterday")], NOW.timestamp())
    assert counts.by_app == {("merchant", "over 2 h"): 1}


def test_a_subscription_whose_connection_is_gone_is_an_orphan() -> None:
    rows = [
        {"connectionId": "a=", "topic": "business:b1"},
        {"connectionId": "gone=", "topic": "order:o1"},
        {"topic": "merchant_status_b1"},
    ]
    counts = count_subscriptions(rows, {"a="}, NOW.timestamp())
    assert counts.orphans == 1
    assert counts.by_kind == {"business": 1, "order": 1, "merchant_status": 1}


def test_a_platform_as_we_rely_on_it_shows_no_drift() -> None:
    api = {"ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}
    assert api_drift(api, [{"StageName": "dev", "AutoDeploy": True}], "dev") == []


def test_a_stage_that_stopped_deploying_by_itself_is_drift() -> None:
    api = {"ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}
    (said,) = api_drift(api, [{"StageName": "dev", "AutoDeploy": False}], "dev")
    assert "dev" in said


def test_another_route_selection_and_a_missing_stage_are_both_told() -> None:
    api = {"ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.type"}
    assert len(api_drift(api, [], "dev")) == 2


def test_an_index_that_is_gone_or_still_building_is_drift() -> None:
    table = {
        "TableName": "t",
        "KeySchema": [{"AttributeName": "connectionId"}],
        "GlobalSecondaryIndexes": [{"IndexName": "i", "IndexStatus": "CREATING"}],
    }
    (said,) = table_drift(table, "connectionId", ("i",))
    assert "index i" in said
