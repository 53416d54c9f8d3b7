"""CloudWatch, its Logs and EventBridge, which Pulumi keeps in one module."""

import math
from typing import Any, Final

from sandbox.aws import schema as row
from sandbox.aws.operation import Operation

_RETENTIONS: Final = (
    *(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557),
    *(2922, 3288, 3653),
)

LOG_GROUP: Final = row.resource(
    "cloudwatch/logGroup:LogGroup",
    row.text("name", "logGroupName", replaces=True, autoname=512),
    row.text("kmsKeyId", "kmsKeyId", replaces=True),
    row.integer(
        "retentionInDays",
        "retentionInDays",
        default=0,
        choices=_RETENTIONS,
        own=("put_retention_policy", "delete_retention_policy"),
    ),
    # The ARN without the `:*` that stands for the group's streams, as the official provider has it.
    row.out("arn", "logGroupArn"),
    row.TAGS,
    service="logs",
    create="create_log_group",
    read="describe_log_groups",
    answer="logGroups",
    delete="delete_log_group",
    key={"logGroupName": "id", "logGroupNamePrefix": "id"},
    unique=("name",),
)


def _alarm_told(_: Operation, found: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the emulator makes up beside metric queries and percentiles."""
    if not found.get("MetricName"):
        return {**found, "Period": None, "Statistic": None}
    return {**found, "Statistic": None} if found.get("ExtendedStatistic") else found


_COMPARISONS: Final = (
    *("GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "GreaterThanUpperThreshold"),
    *("LessThanThreshold", "LessThanOrEqualToThreshold", "LessThanLowerThreshold"),
    "LessThanLowerOrGreaterThanUpperThreshold",
)
_STATISTICS: Final = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_MISSING: Final = ("breaching", "notBreaching", "ignore", "missing")

METRIC_ALARM: Final = row.resource(
    "cloudwatch/metricAlarm:MetricAlarm",
    row.text("name", "AlarmName", replaces=True, autoname=255),
    row.text("comparisonOperator", choices=_COMPARISONS, needed=True),
    row.integer("evaluationPeriods", within=(1, math.inf), needed=True),
    row.integer("datapointsToAlarm period", within=(1, math.inf)),
    row.flag("actionsEnabled", default=True),
    row.text_set("alarmActions insufficientDataActions"),
    row.text_set("okActions", "OKActions"),
    row.text("alarmDescription extendedStatistic metricName namespace thresholdMetricId unit"),
    row.mapping("dimensions"),
    row.record_set(
        "metricQueries",
        row.text("id", required=True),
        row.text("expression label"),
        row.record(
            "metric",
            row.text("metricName", "Metric.MetricName", required=True),
            row.integer("period", required=True),
            row.text("stat", required=True),
            row.mapping("dimensions", "Metric.Dimensions"),
            row.text("namespace", "Metric.Namespace"),
            row.text("unit"),
            aws="MetricStat",
        ),
        row.integer("period"),
        row.flag("returnData", default=False),
        aws="Metrics",
        told=None,  # The emulator's answer leaves it out.
    ),
    row.text("statistic", choices=_STATISTICS),
    row.decimal("threshold", default=0),
    row.text("treatMissingData", default="missing", choices=_MISSING),
    row.out("arn", "AlarmArn"),
    row.TAGS,
    put="put_metric_alarm",
    read="describe_alarms",
    answer="MetricAlarms",
    tells=_alarm_told,
    delete="delete_alarms",
    key={"AlarmName": "id", "AlarmNames": "id"},
    unique=("name",),
    either=("metricName", "metricQueries"),
)

DASHBOARD: Final = row.resource(
    "cloudwatch/dashboard:Dashboard",
    row.text("dashboardName", required=True, replaces=True),
    row.document("dashboardBody", required=True),
    row.out("dashboardArn"),
    noun="dashboard",
    put="put_dashboard",
    delete="delete_dashboards",
    key={"DashboardName": "id", "DashboardNames": "id"},
    unique=("dashboardName",),
)

# No type of the table makes an event bus, so there is no other one than the account's.
_BUS: Final = row.text("eventBusName", default="default", replaces=True, choices=("default",))

EVENT_RULE: Final = row.resource(
    "cloudwatch/eventRule:EventRule",
    row.text("name", replaces=True, autoname=64),
    row.text("description roleArn scheduleExpression"),
    _BUS,
    row.document("eventPattern"),
    row.text("state", default="ENABLED", choices=("ENABLED", "DISABLED")),
    row.out("arn"),
    row.TAGS,
    service="events",
    put="put_rule",
    read="describe_rule",
    delete="delete_rule",
    key={"Name": "id"},
    unique=("name",),
    either=("scheduleExpression", "eventPattern"),
)

EVENT_TARGET: Final = row.resource(
    "cloudwatch/eventTarget:EventTarget",
    row.text("rule", required=True, replaces=True),
    _BUS,
    row.below(
        "Targets",
        row.text("arn", required=True),
        row.record("deadLetterConfig", row.text("arn")),
        row.text("input inputPath roleArn"),
        row.record(
            "retryPolicy",
            row.integer("maximumEventAgeInSeconds", within=(60, 86400)),
            row.integer("maximumRetryAttempts", within=(0, 185)),
        ),
        row.text("targetId", "Id", replaces=True, autoname=64),
    ),
    service="events",
    put="put_targets",
    read="list_targets_by_rule",
    answer="Targets",
    delete="remove_targets",
    key={"EventBusName": "eventBusName", "Rule": "rule", "Id": "targetId", "Ids": "targetId"},
    id="{rule}-{targetId}",
    unique=("rule", "targetId"),
)
