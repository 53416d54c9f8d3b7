"""CloudWatch: alarms on metrics, and alarms on alarms."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.operation import Operation
from sandbox.aws.schema import (
    ResourceType,
    Tagging,
    decimal,
    flag,
    integer,
    mapping,
    out,
    properties,
    record,
    records,
    table,
    text,
    text_set,
)

_ALARM_TAGS: Final = Tagging(pairs=True)

_ACTIONS: Final = (
    flag("actionsEnabled", default=True),
    text_set("alarmActions"),
    text("alarmDescription"),
    text_set("insufficientDataActions"),
    text_set("okActions", "OKActions"),
)


def _dimensions(pairs: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in pairs.items()]


def _undimensioned(found: Any) -> dict[str, str]:
    return {each["Name"]: each["Value"] for each in found or ()}


def _alarm_parameters(operation: Operation) -> dict[str, Any]:
    """Return what PutMetricAlarm takes: dimensions and queries have shapes of their own there."""
    parameters = operation.parameters()
    if dimensions := operation.inputs.get("dimensions"):
        parameters["Dimensions"] = _dimensions(dimensions)
    if queries := operation.inputs.get("metricQueries"):
        parameters["Metrics"] = [_query(each) for each in queries]
    return parameters


def _query(each: Mapping[str, Any]) -> dict[str, Any]:
    query: dict[str, Any] = {"Id": each["id"], "ReturnData": each.get("returnData", False)}
    for name, aws in (("expression", "Expression"), ("label", "Label"), ("period", "Period")):
        if each.get(name):
            query[aws] = each[name]
    if metric := each.get("metric"):
        query["MetricStat"] = {
            "Metric": {
                "Namespace": metric.get("namespace", ""),
                "MetricName": metric["metricName"],
                "Dimensions": _dimensions(metric.get("dimensions", {})),
            },
            "Period": metric["period"],
            "Stat": metric["stat"],
        } | ({"Unit": metric["unit"]} if metric.get("unit") else {})
    return query


def _unquery(found: Mapping[str, Any]) -> dict[str, Any]:
    query: dict[str, Any] = {"id": found["Id"], "returnData": found.get("ReturnData", False)}
    for name, aws in (("expression", "Expression"), ("label", "Label"), ("period", "Period")):
        if found.get(aws):
            query[name] = found[aws]
    if stat := found.get("MetricStat"):
        metric = {
            "namespace": stat["Metric"].get("Namespace"),
            "metricName": stat["Metric"]["MetricName"],
            "dimensions": _undimensioned(stat["Metric"].get("Dimensions")),
            "period": stat["Period"],
            "stat": stat["Stat"],
            "unit": stat.get("Unit"),
        }
        query["metric"] = {name: value for name, value in metric.items() if value}
    return query


def _alarm_needs(inputs: Mapping[str, Any]) -> Mapping[str, str]:
    wrong = {
        name: f"an alarm needs {name}"
        for name in ("comparisonOperator", "evaluationPeriods")
        if name not in inputs
    }
    if "metricName" not in inputs and "metricQueries" not in inputs:
        wrong["metricName"] = "an alarm needs a metricName or metricQueries"
    return wrong


def _put_alarm(operation: Operation) -> str:
    tags = {} if operation.state else operation.tag_parameters()
    operation.api.put_metric_alarm(**_alarm_parameters(operation), **tags)
    return str(operation.get("name"))


def _update_alarm(operation: Operation) -> None:
    _put_alarm(operation)


def _read_alarm(operation: Operation) -> Mapping[str, Any] | None:
    found = operation.api.describe_alarms(AlarmNames=[operation.id])["MetricAlarms"]
    if not found:
        return None
    # The emulator makes up a period and a statistic where metric queries bring their own, and a
    # statistic beside a percentile.
    made_up: tuple[str, ...] = ()
    if not found[0].get("MetricName"):
        made_up = ("Period", "Statistic")
    elif found[0].get("ExtendedStatistic"):
        made_up = ("Statistic",)
    return {name: value for name, value in found[0].items() if name not in made_up}


def _alarm_outputs(_: Operation, found: Mapping[str, Any]) -> Mapping[str, Any]:
    told: dict[str, Any] = {"dimensions": _undimensioned(found.get("Dimensions")) or None}
    if queries := found.get("Metrics"):
        told["metricQueries"] = [_unquery(each) for each in queries]
    return told


def _delete_alarm(operation: Operation) -> None:
    operation.api.delete_alarms(AlarmNames=[operation.id])


METRIC_ALARM: Final = ResourceType(
    pulumi_name="aws:cloudwatch/metricAlarm:MetricAlarm",
    service="cloudwatch",
    properties=properties(
        text("name", "AlarmName", replaces=True),
        text(
            "comparisonOperator",
            choices=(
                "GreaterThanOrEqualToThreshold",
                "GreaterThanThreshold",
                "LessThanThreshold",
                "LessThanOrEqualToThreshold",
                "LessThanLowerOrGreaterThanUpperThreshold",
                "LessThanLowerThreshold",
                "GreaterThanUpperThreshold",
            ),
        ),
        integer("evaluationPeriods", least=1),
        *_ACTIONS,
        integer("datapointsToAlarm", least=1),
        mapping("dimensions", None),
        text(
            "evaluateLowSampleCountPercentiles", "EvaluateLowSampleCountPercentile", computed=True
        ),
        text("extendedStatistic"),
        text("metricName"),
        records(
            "metricQueries",
            text("id", required=True),
            text("expression"),
            text("label"),
            record(
                "metric",
                text("metricName", required=True),
                integer("period", required=True),
                text("stat", required=True),
                mapping("dimensions"),
                text("namespace"),
                text("unit"),
            ),
            integer("period"),
            flag("returnData", default=False),
            aws=None,
        ),
        text("namespace"),
        integer("period", least=1),
        text("statistic", choices=("SampleCount", "Average", "Sum", "Minimum", "Maximum")),
        decimal("threshold", default=0),
        text("thresholdMetricId"),
        text(
            "treatMissingData",
            default="missing",
            choices=("breaching", "notBreaching", "ignore", "missing"),
        ),
        text("unit"),
        out("arn", "AlarmArn"),
        tags=True,
    ),
    create=_put_alarm,
    read=_read_alarm,
    update=_update_alarm,
    delete=_delete_alarm,
    outputs=_alarm_outputs,
    requires=_alarm_needs,
    autoname="name",
    unique=("name",),
    tagging=_ALARM_TAGS,
)


def _put_composite(operation: Operation) -> str:
    tags = {} if operation.state else operation.tag_parameters()
    operation.api.put_composite_alarm(**operation.parameters(), **tags)
    return str(operation.get("alarmName"))


def _update_composite(operation: Operation) -> None:
    _put_composite(operation)


def _read_composite(operation: Operation) -> Mapping[str, Any] | None:
    found = operation.api.describe_alarms(AlarmNames=[operation.id], AlarmTypes=["CompositeAlarm"])[
        "CompositeAlarms"
    ]
    return found[0] if found else None


COMPOSITE_ALARM: Final = ResourceType(
    pulumi_name="aws:cloudwatch/compositeAlarm:CompositeAlarm",
    service="cloudwatch",
    properties=properties(
        text("alarmName", required=True, replaces=True),
        text("alarmRule", required=True),
        *_ACTIONS,
        out("arn", "AlarmArn"),
        tags=True,
    ),
    create=_put_composite,
    read=_read_composite,
    update=_update_composite,
    delete=_delete_alarm,
    unique=("alarmName",),
    tagging=_ALARM_TAGS,
)


TYPES: Final = table(METRIC_ALARM, COMPOSITE_ALARM)
