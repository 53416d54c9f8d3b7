"""What carries the legacy app's names outside its stack: made by hand, or left behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.errors import code_of
from ops.migrate.survey import Clients, Survey, with_access

_LIFE: Final = timedelta(hours=2)
"""API Gateway ends every connection after two hours: whoever is connected connected since."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """A resource that is called like the legacy app's, and is not of its stack."""

    kind: str
    name: str
    id: str
    owner: str | None
    """The stack that it is in, or None."""
    says: str
    """How much it is in use."""
    pointers: tuple[str, ...]
    """What names it."""


def stems(stack: str, stage: str, names: Iterable[str]) -> tuple[str, ...]:
    """How names of the app's WebSocket resources begin.

    By the names that its stack has (`app-websocket-api-dev` gives `app-websocket`), by the stack's
    own name, and by the app's: `app-regional-dev` is of `app`.
    """
    app = re.sub(rf"(-regional(-.*)?|-{re.escape(stage)})$", "", stack)
    derived = {found[0] for name in names if (found := re.match(r".*?websocket", name))}
    return tuple(sorted({f"{stack}-websocket", f"{app}-websocket", *derived}))


def carries(name: str, begin: Iterable[str]) -> bool:
    """Whether a name, or the last part of a path, begins with one of these."""
    return any(re.search(rf"(^|/){re.escape(stem)}(?!\w)", name) for stem in begin)


def find(
    clients: Clients, begin: tuple[str, ...], known: frozenset[str], deployed: Survey
) -> tuple[tuple[Named, ...], list[str]]:
    """What is called so and is not among the `known` physical ids; and what could not be read."""
    found: list[Named] = []
    unread: list[str] = []
    looks: tuple[tuple[str, Callable[[], Iterator[tuple[str, str, str, str]]]], ...] = (
        ("the WebSocket APIs", lambda: _apis(clients, begin)),
        ("the tables", lambda: _tables(clients("dynamodb"), begin, known)),
        ("the Lambdas", lambda: _functions(deployed, begin)),
        ("the log groups", lambda: _log_groups(clients("logs"), begin)),
        ("the alarms", lambda: _alarms(deployed, begin)),
    )

    def take(look: Callable[[], Iterator[tuple[str, str, str, str]]]) -> None:
        for kind, name, identity, says in look():
            if identity in known or _is_of(name.rsplit("/", 1)[-1], known):
                continue
            found.append(
                Named(
                    kind=kind,
                    name=name,
                    id=identity,
                    owner=_owner(clients("cloudformation"), identity),
                    says=says,
                    pointers=deployed.naming({identity}, but=frozenset({identity})),
                )
            )

    for what, look in looks:
        with_access(what, lambda look=look: take(look), unread)
    return tuple(found), unread


def _is_of(name: str, known: frozenset[str]) -> bool:
    """Whether something is called after a known resource, as its log group and alarms are."""
    return any(name == one or name.startswith(f"{one}-") for one in known)


def line(named: Named) -> str:
    """One of them as a person reads it."""
    identity = f" ({named.id})" if named.id != named.name else ""
    owner = f"in the stack {named.owner}" if named.owner else "in no stack"
    says = f": {named.says}" if named.says else ""
    return f"{named.kind} {named.name}{identity}, {owner}{says}"


def _apis(clients: Clients, begin: tuple[str, ...]) -> Iterator[tuple[str, str, str, str]]:
    for page in clients("apigatewayv2").get_paginator("get_apis").paginate():
        for api in page["Items"]:
            if api["ProtocolType"] == "WEBSOCKET" and carries(api["Name"], begin):
                says = _connects(clients("cloudwatch"), api["ApiId"])
                yield "WebSocket API", api["Name"], api["ApiId"], says


def _connects(client: Any, api: str) -> str:
    now = datetime.now(UTC)
    statistics = client.get_metric_statistics(
        Namespace="AWS/ApiGateway",
        MetricName="ConnectCount",
        Dimensions=[{"Name": "ApiId", "Value": api}],
        StartTime=now - _LIFE,
        EndTime=now,
        Period=int(_LIFE.total_seconds()),
        Statistics=["Sum"],
    )
    count = int(sum(point["Sum"] for point in statistics["Datapoints"]))
    if not count:
        return "no connection of the last two hours that CloudWatch knows of"
    return f"{count} connections were opened in the last two hours, as long as one can live"


def _tables(
    client: Any, begin: tuple[str, ...], known: frozenset[str]
) -> Iterator[tuple[str, str, str, str]]:
    for page in client.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            if carries(name, begin) and name not in known:
                yield "table", name, name, f"{count_rows(client, name)} rows"


def count_rows(client: Any, table: str) -> int:
    """How many rows a table has now; DescribeTable says how many it had hours ago.

    A table that somebody deleted has none.
    """
    pages = client.get_paginator("scan").paginate(TableName=table, Select="COUNT")
    try:
        return sum(page["Count"] for page in pages)
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            return 0
        raise


def _functions(deployed: Survey, begin: tuple[str, ...]) -> Iterator[tuple[str, str, str, str]]:
    return (("Lambda", name, name, "") for name in deployed.functions if carries(name, begin))


def _alarms(deployed: Survey, begin: tuple[str, ...]) -> Iterator[tuple[str, str, str, str]]:
    return (("alarm", name, name, "") for name in deployed.alarms if carries(name, begin))


def _log_groups(client: Any, begin: tuple[str, ...]) -> Iterator[tuple[str, str, str, str]]:
    pages = client.get_paginator("describe_log_groups")
    for stem in begin:
        for page in pages.paginate(logGroupNamePattern=stem):
            for group in page["logGroups"]:
                name = group["logGroupName"]
                if carries(name, begin):
                    yield "log group", name, name, f"{group.get('storedBytes', 0)} bytes"


def _owner(client: Any, physical: str) -> str | None:
    try:
        resources = client.describe_stack_resources(PhysicalResourceId=physical)["StackResources"]
    except ClientError as error:
        if code_of(error) == "ValidationError":
            return None
        raise
    return str(resources[0]["StackName"]) if resources else None
