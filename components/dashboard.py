"""The dashboard: what users feel on top, what makes it so below."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from components.functions import function_name
from components.settings import Settings
from components.shared_platform import SharedPlatform
from lambdas.catalogue import ENTRY_POINTS, METRIC_DIMENSIONS, METRICS_NAMESPACE, Metric

WIDTH: Final = 24
"""Columns of CloudWatch's grid."""
HEIGHT: Final = 6
Widget = dict[str, object]
Line = list[object]


def body(
    settings: Settings, platform: SharedPlatform, functions: Sequence[str], alarms: Sequence[str]
) -> str:
    """The dashboard of a stack as CloudWatch's JSON (dashboard body structure)."""
    names = [
        function_name(settings.stack, entry) for entry in ENTRY_POINTS if entry.name in functions
    ]
    rows: list[list[Widget]] = [
        [{"type": "alarm", "properties": {"title": "Alarms", "alarms": list(alarms)}}],
        [
            _graph("Age of events at delivery (p99, ms)", [_search(Metric.EVENT_AGE, "p99")]),
            _graph("Live connections", [_search(Metric.ACTIVE_CONNECTIONS, "Maximum", 900)]),
            _graph("Messages and refusals", [_search(Metric.MESSAGES), _search(Metric.REFUSED)]),
        ],
        [
            _graph(
                "Deliveries",
                [
                    _search(metric)
                    for metric in (
                        Metric.DELIVERED,
                        Metric.STALE,
                        Metric.THROTTLED,
                        Metric.FAILED,
                    )
                ],
            ),
            _graph("Queues", _queues(settings.stack)),
            _graph("Shared API: latency (ms)", _gateway(platform, "p99", "IntegrationLatency")),
        ],
        [
            _graph(
                "Shared API: traffic", _gateway(platform, "Sum", "ConnectCount", "MessageCount")
            ),
            _graph(
                "Shared API: errors",
                _gateway(platform, "Average", "ClientError", "ExecutionError", "IntegrationError"),
            ),
            _graph("Throttled reads and writes of tables", _tables(platform)),
        ],
        [
            _graph(f"Lambda {what.lower()}", _functions(names, what, statistic))
            for what, statistic in (("Invocations", "Sum"), ("Errors", "Sum"), ("Duration", "p99"))
        ],
    ]
    return json.dumps({"widgets": _laid_out(rows, platform.region)})


def _laid_out(rows: list[list[Widget]], region: str) -> list[Widget]:
    widgets: list[Widget] = []
    for y, row in enumerate(rows):
        width = WIDTH // len(row)
        for x, widget in enumerate(row):
            place = {"x": x * width, "y": y * HEIGHT, "width": width, "height": HEIGHT}
            widgets.append(widget | place)
            properties = widget["properties"]
            if widget["type"] == "metric" and isinstance(properties, dict):
                properties["region"] = region
    return widgets


def _graph(title: str, lines: list[Line]) -> Widget:
    return {
        "type": "metric",
        "properties": {"title": title, "view": "timeSeries", "period": 60, "metrics": lines},
    }


def _search(metric: Metric, statistic: str = "Sum", period: int = 60) -> Line:
    """Every combination of dimensions that a metric of ours has."""
    schema = ",".join((METRICS_NAMESPACE, *METRIC_DIMENSIONS))
    query = f'{{{schema}}} MetricName="{metric}"'
    return [
        {
            "expression": f"SEARCH('{query}', '{statistic}', {period})",
            "label": f"{metric} ${{PROP('Dim.eventType')}} ${{PROP('Dim.entityType')}}",
        }
    ]


def _gateway(platform: SharedPlatform, statistic: str, *names: str) -> list[Line]:
    scope = ["ApiId", platform.api_id, "Stage", platform.stage]
    return [["AWS/ApiGateway", name, *scope, {"stat": statistic}] for name in names]


def _queues(stack: str) -> list[Line]:
    return [
        ["AWS/SQS", metric, "QueueName", f"order-receiver-{stack}-{queue}", {"stat": "Maximum"}]
        for queue, metric in (
            ("fanout", "ApproximateNumberOfMessagesVisible"),
            ("fanout", "ApproximateAgeOfOldestMessage"),
            ("dead-letters", "ApproximateNumberOfMessagesVisible"),
        )
    ]


def _tables(platform: SharedPlatform) -> list[Line]:
    return [
        ["AWS/DynamoDB", metric, "TableName", table.name, {"stat": "Sum"}]
        for table in (platform.connections, platform.subscriptions, platform.businesses)
        for metric in ("ReadThrottleEvents", "WriteThrottleEvents")
    ]


def _functions(names: list[str], metric: str, statistic: str) -> list[Line]:
    return [["AWS/Lambda", metric, "FunctionName", name, {"stat": statistic}] for name in names]
