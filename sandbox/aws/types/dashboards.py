"""CloudWatch: dashboards."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.operation import Operation
from sandbox.aws.schema import (
    ResourceType,
    document,
    out,
    properties,
    table,
    text,
)


def _put_dashboard(operation: Operation) -> str:
    operation.api.put_dashboard(**operation.parameters())
    return str(operation.get("dashboardName"))


def _update_dashboard(operation: Operation) -> None:
    _put_dashboard(operation)


def _read_dashboard(operation: Operation) -> Mapping[str, Any]:
    return operation.api.get_dashboard(DashboardName=operation.id)


def _delete_dashboard(operation: Operation) -> None:
    operation.api.delete_dashboards(DashboardNames=[operation.id])


DASHBOARD: Final = ResourceType(
    pulumi_name="aws:cloudwatch/dashboard:Dashboard",
    service="cloudwatch",
    properties=properties(
        text("dashboardName", required=True, replaces=True),
        document("dashboardBody", required=True),
        out("dashboardArn"),
    ),
    create=_put_dashboard,
    read=_read_dashboard,
    update=_update_dashboard,
    delete=_delete_dashboard,
    unique=("dashboardName",),
)


TYPES: Final = table(DASHBOARD)
