"""Alarms and dashboard of the order receiver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import pulumi
import pulumi_aws as aws

from components import dashboard
from components.alarms import Alarm, Measure
from components.delivery_alarms import delivery_alarms
from components.functions import FunctionParts, function_name
from components.service_alarms import (
    api_alarms,
    function_alarms,
    queue_alarms,
    table_alarms,
)
from components.settings import Settings
from components.shared_platform import SharedPlatform

RUNBOOK = "docs/operations.md"


@dataclass(frozen=True, kw_only=True)
class MonitoringParts:
    """Every alarm by its name, and the dashboard."""

    alarms: dict[str, aws.cloudwatch.MetricAlarm]
    dashboard: aws.cloudwatch.Dashboard
    dashboard_url: str


def create_monitoring(
    name: str,
    *,
    settings: Settings,
    platform: SharedPlatform,
    functions: Mapping[str, FunctionParts],
    parent: pulumi.Resource,
) -> MonitoringParts:
    """Create the alarms that belong to what this stack has, and one dashboard over it all."""
    facts = alarms_of(settings, platform, functions)
    topics = [settings.alarm_topic_arn] if settings.alarm_topic_arn else None
    alarms = {
        fact.name: _create_alarm(name, fact, stack=settings.stack, topics=topics, parent=parent)
        for fact in facts
    }
    board = f"order-receiver-{settings.stack}"
    body = pulumi.Output.all(*(alarm.arn for alarm in alarms.values())).apply(
        lambda arns: dashboard.body(settings, platform, tuple(functions), arns)
    )
    return MonitoringParts(
        alarms=alarms,
        dashboard=aws.cloudwatch.Dashboard(
            f"{name}-dashboard",
            dashboard_name=board,
            dashboard_body=body,
            opts=pulumi.ResourceOptions(parent=parent),
        ),
        dashboard_url=f"https://{platform.region}.console.aws.amazon.com/cloudwatch/home"
        f"?region={platform.region}#dashboards/dashboard/{board}",
    )


def alarms_of(
    settings: Settings, platform: SharedPlatform, functions: Mapping[str, FunctionParts]
) -> tuple[Alarm, ...]:
    """The alarms that a stack with these functions has."""
    stack = settings.stack
    return (
        *api_alarms(platform.api_id, platform.stage),
        *chain.from_iterable(
            function_alarms(
                parts.entry_point,
                function_name(stack, parts.entry_point),
                settings.reserved_concurrency.get(parts.entry_point.name),
            )
            for parts in functions.values()
        ),
        *queue_alarms(f"order-receiver-{stack}-fanout", f"order-receiver-{stack}-dead-letters"),
        *table_alarms("connections", platform.connections.name),
        *table_alarms("subscriptions", platform.subscriptions.name),
        *table_alarms("businesses", platform.businesses.name),
        *delivery_alarms(platform.stage),
    )


def _create_alarm(
    component: str,
    alarm: Alarm,
    *,
    stack: str,
    topics: list[str] | None,
    parent: pulumi.Resource,
) -> aws.cloudwatch.MetricAlarm:
    single = alarm.measures[0] if not alarm.expression else None
    percentile = single is not None and single.statistic.startswith("p")
    return aws.cloudwatch.MetricAlarm(
        f"{component}-alarm-{alarm.name}",
        name=f"order-receiver-{stack}-{alarm.name}",
        alarm_description=f"{alarm.meaning[0].upper()}{alarm.meaning[1:]}. See {RUNBOOK}.",
        comparison_operator="LessThanThreshold" if alarm.below else "GreaterThanThreshold",
        threshold=alarm.threshold,
        datapoints_to_alarm=alarm.points,
        evaluation_periods=alarm.of,
        treat_missing_data=alarm.missing,
        namespace=single.namespace if single else None,
        metric_name=single.name if single else None,
        dimensions=single.dimensions if single else None,
        period=single.period if single else None,
        statistic=single.statistic if single and not percentile else None,
        extended_statistic=single.statistic if single and percentile else None,
        metric_queries=None if single else _queries(alarm),
        alarm_actions=topics,
        ok_actions=topics,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _queries(alarm: Alarm) -> list[aws.cloudwatch.MetricAlarmMetricQueryArgs]:
    return [
        aws.cloudwatch.MetricAlarmMetricQueryArgs(
            id="result", expression=alarm.expression, label=alarm.name, return_data=True
        ),
        *(_query(f"m{number}", measure) for number, measure in enumerate(alarm.measures)),
    ]


def _query(query_id: str, measure: Measure) -> aws.cloudwatch.MetricAlarmMetricQueryArgs:
    return aws.cloudwatch.MetricAlarmMetricQueryArgs(
        id=query_id,
        metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace=measure.namespace,
            metric_name=measure.name,
            stat=measure.statistic,
            period=measure.period,
            dimensions=measure.dimensions,
        ),
    )
