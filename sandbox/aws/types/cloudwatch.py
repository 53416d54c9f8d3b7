"""CloudWatch, its Logs and EventBridge, which Pulumi keeps in one module."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.operation import Operation
from sandbox.aws.schema import (
    TAGS,
    below,
    decimal,
    document,
    flag,
    integer,
    mapping,
    out,
    record,
    record_set,
    resource,
    text,
    text_set,
)

_RETENTIONS: Final = (
    *(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557),
    *(2922, 3288, 3653),
)
_CLASSES: Final = ("STANDARD", "INFREQUENT_ACCESS")

LOG_GROUP: Final = resource(
    "cloudwatch/logGroup:LogGroup",
    text("name", "logGroupName", replaces=True, autoname=512),
    text("namePrefix", None, replaces=True),
    text("kmsKeyId", "kmsKeyId", replaces=True),
    text("logGroupClass", "logGroupClass", computed=True, replaces=True, choices=_CLASSES),
    integer(
        "retentionInDays",
        "retentionInDays",
        default=0,
        choices=_RETENTIONS,
        own=("put_retention_policy", "delete_retention_policy"),
    ),
    flag("skipDestroy", None, default=False),
    # The ARN without the `:*` that stands for the group's streams, as the official provider has it.
    out("arn", "logGroupArn"),
    TAGS,
    service="logs",
    create="create_log_group",
    read="describe_log_groups",
    answer="logGroups",
    update=(),
    delete="delete_log_group",
    key={"logGroupName": "id", "logGroupNamePrefix": "id"},
    unique=("name",),
)


def _alarm_told(_: Operation, found: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the emulator makes up beside metric queries and percentiles."""
    if not found.get("MetricName"):
        return {**found, "Period": None, "Statistic": None}
    return {**found, "Statistic": None} if found.get("ExtendedStatistic") else found


def _alarm_needs(inputs: Mapping[str, Any]) -> Mapping[str, str]:
    needed = ("comparisonOperator", "evaluationPeriods")
    wrong = {name: f"an alarm needs {name}" for name in needed if name not in inputs}
    if "metricName" not in inputs and "metricQueries" not in inputs:
        wrong["metricName"] = "an alarm needs a metricName or metricQueries"
    return wrong


_COMPARISONS: Final = (
    *("GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "GreaterThanUpperThreshold"),
    *("LessThanThreshold", "LessThanOrEqualToThreshold", "LessThanLowerThreshold"),
    "LessThanLowerOrGreaterThanUpperThreshold",
)
_STATISTICS: Final = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_MISSING: Final = ("breaching", "notBreaching", "ignore", "missing")

METRIC_ALARM: Final = resource(
    "cloudwatch/metricAlarm:MetricAlarm",
    text("name", "AlarmName", replaces=True, autoname=255),
    text("comparisonOperator", choices=_COMPARISONS),
    integer("evaluationPeriods datapointsToAlarm period", within=(1, None)),
    flag("actionsEnabled", default=True),
    text_set("alarmActions insufficientDataActions"),
    text_set("okActions", "OKActions"),
    text("alarmDescription extendedStatistic metricName namespace thresholdMetricId unit"),
    mapping("dimensions"),
    text("evaluateLowSampleCountPercentiles", "EvaluateLowSampleCountPercentile", computed=True),
    record_set(
        "metricQueries",
        text("id", required=True),
        text("expression label"),
        record(
            "metric",
            text("metricName", "Metric.MetricName", required=True),
            integer("period", required=True),
            text("stat", required=True),
            mapping("dimensions", "Metric.Dimensions"),
            text("namespace", "Metric.Namespace"),
            text("unit"),
            aws="MetricStat",
        ),
        integer("period"),
        flag("returnData", default=False),
        aws="Metrics",
        told=None,  # The emulator's answer leaves it out.
    ),
    text("statistic", choices=_STATISTICS),
    decimal("threshold", default=0),
    text("treatMissingData", default="missing", choices=_MISSING),
    out("arn", "AlarmArn"),
    TAGS,
    create="put_metric_alarm",
    read="describe_alarms",
    answer="MetricAlarms",
    tells=_alarm_told,
    update=("put_metric_alarm",),
    delete="delete_alarms",
    key={"AlarmName": "id", "AlarmNames": "id"},
    unique=("name",),
    needs=_alarm_needs,
)

DASHBOARD: Final = resource(
    "cloudwatch/dashboard:Dashboard",
    text("dashboardName", required=True, replaces=True),
    document("dashboardBody", required=True),
    out("dashboardArn"),
    noun="dashboard",
    create="put_dashboard",
    update=("put_dashboard",),
    delete="delete_dashboards",
    key={"DashboardName": "id", "DashboardNames": "id"},
    unique=("dashboardName",),
)

# No type of the table makes an event bus, so there is no other one than the account's.
_BUS: Final = text("eventBusName", default="default", replaces=True, choices=("default",))


def _rule_needs(inputs: Mapping[str, Any]) -> Mapping[str, str]:
    if inputs.get("eventPattern") or inputs.get("scheduleExpression"):
        return {}
    return {"scheduleExpression": "a rule needs a scheduleExpression or an eventPattern"}


EVENT_RULE: Final = resource(
    "cloudwatch/eventRule:EventRule",
    text("name", replaces=True, autoname=64),
    text("namePrefix", None, replaces=True),
    text("description roleArn scheduleExpression"),
    _BUS,
    document("eventPattern"),
    flag("forceDestroy", None, default=False),
    text("state", default="ENABLED", choices=("ENABLED", "DISABLED")),
    out("arn"),
    TAGS,
    service="events",
    create="put_rule",
    read="describe_rule",
    update=("put_rule",),
    delete="delete_rule",
    key={"Name": "id"},
    unique=("name",),
    needs=_rule_needs,
)

EVENT_TARGET: Final = resource(
    "cloudwatch/eventTarget:EventTarget",
    text("rule", required=True, replaces=True),
    _BUS,
    flag("forceDestroy", None, default=False),
    below(
        "Targets",
        text("arn", required=True),
        record("deadLetterConfig", text("arn")),
        text("input inputPath roleArn"),
        record(
            "inputTransformer",
            text("inputTemplate", required=True),
            mapping("inputPaths", "InputPathsMap"),
        ),
        record(
            "retryPolicy",
            integer("maximumEventAgeInSeconds", within=(60, 86400)),
            integer("maximumRetryAttempts", within=(0, 185)),
        ),
        record("sqsTarget", text("messageGroupId"), aws="SqsParameters"),
        text("targetId", "Id", replaces=True, autoname=64),
    ),
    service="events",
    create="put_targets",
    read="list_targets_by_rule",
    answer="Targets",
    update=("put_targets",),
    delete="remove_targets",
    key={"EventBusName": "eventBusName", "Rule": "rule", "Id": "targetId", "Ids": "targetId"},
    id="{rule}-{targetId}",
    unique=("rule", "targetId"),
)
