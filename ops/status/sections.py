"""The parts of the status table, each read at the same time and each able to fail by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from ops import access
from ops.deployed import Deployed
from ops.errors import OperatorError
from ops.paced import PacedTables
from ops.status.platform import differences
from ops.status.tables import AGES, CONNECTION, SUBSCRIPTION, Connections, Subscriptions

READ_UNITS_PER_SECOND: Final = 500
"""Of the two tables together: a look at them must not take what the apps need."""

READ_ATTEMPTS: Final = 2
"""Tries of a throttled read: somebody is waiting, and --watch comes again."""

Clients = Mapping[str, Any]
Row = tuple[str, str | int]


@dataclass(frozen=True, kw_only=True)
class Section:
    """One heading of the table with its rows of name and value."""

    heading: str
    rows: tuple[Row, ...]
    unread: bool = False
    """It could not be read; its row says why."""


def gather(deployed: Deployed, profile: str | None) -> list[Section]:
    """Everything there is to tell.

    Raises OperatorError where AWS lets nobody in; what only one section may not, or cannot, read
    stands in that section.
    """
    with access.readable(deployed.place, profile):
        clients = {
            service: deployed.client(service, profile=profile)
            for service in ("dynamodb", "sqs", "cloudwatch", "lambda", "apigatewayv2")
        }
    parts: dict[str, Callable[[Deployed, Clients], list[Section]]] = {
        "shared tables": _tables,
        "fan-out queue": _queue,
        "alarms": _alarms,
        "versions deployed": _versions,
        "shared platform": _platform,
    }

    def read(heading: str) -> list[Section]:
        try:
            with access.readable(deployed.place, profile):
                return parts[heading](deployed, clients)
        except OperatorError as error:
            why = ("could not be read", error.message)
            return [Section(heading=heading, rows=(why,), unread=True)]

    with ThreadPoolExecutor(max_workers=len(parts)) as pool:
        sections = [section for found in pool.map(read, parts) for section in found]
    reasons = {str(section.rows[0][1]) for section in sections if section.unread}
    if len(reasons) == 1 and all(section.unread for section in sections):
        raise OperatorError(reasons.pop())
    return sections


def _tables(deployed: Deployed, clients: Clients) -> list[Section]:
    tables = PacedTables(
        clients["dynamodb"], units_per_second=READ_UNITS_PER_SECOND, attempts=READ_ATTEMPTS
    )
    now = time.time()
    connections, subscriptions = Connections(), Subscriptions()
    for page in tables.pages(deployed.connections_table, "connectionId", CONNECTION):
        connections.count(page.rows, now)
    for page in tables.pages(deployed.subscriptions_table, "subscriptionId", SUBSCRIPTION):
        subscriptions.count(page.rows, connections.ids, now)
    by_age = [
        (f"{app}, {age}", counts[age])
        for app, counts in sorted(connections.by_app.items())
        for age, _ in AGES
        if counts[age]
    ]
    return [
        Section(heading="connections", rows=(*by_age, ("past their end", connections.stale))),
        Section(
            heading="subscriptions",
            rows=(
                *sorted(subscriptions.by_kind.items()),
                ("without a connection", subscriptions.orphans),
                ("past their end", subscriptions.stale),
            ),
        ),
    ]


def _queue(deployed: Deployed, clients: Clients) -> list[Section]:
    if deployed.fanout_queue_url is None:
        return [Section(heading="fan-out queue", rows=(("queue", "none in the outputs"),))]
    client = clients["sqs"]
    attributes = _attributes(client, deployed.fanout_queue_url)
    rows: list[Row] = [
        ("waiting", _waiting(attributes)),
        ("being delivered", int(attributes["ApproximateNumberOfMessagesNotVisible"])),
    ]
    policy = attributes.get("RedrivePolicy")
    if policy:
        name = str(json.loads(policy)["deadLetterTargetArn"]).rsplit(":", 1)[-1]
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
        rows.append(("dead letters", _waiting(_attributes(client, url))))
    return [Section(heading="fan-out queue", rows=tuple(rows))]


def _attributes(client: Any, url: str) -> dict[str, str]:
    return client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def _waiting(attributes: Mapping[str, str]) -> int:
    delayed = int(attributes.get("ApproximateNumberOfMessagesDelayed", 0))
    return int(attributes["ApproximateNumberOfMessages"]) + delayed


def _alarms(deployed: Deployed, clients: Clients) -> list[Section]:
    """Our alarms by state, and those that ring or cannot tell by name."""
    prefix = deployed.prefix
    if prefix is None:
        return [Section(heading="alarms", rows=(("alarms", "no functions in the outputs"),))]
    states: dict[str, int] = {}
    ringing: list[Row] = []
    pages = clients["cloudwatch"].get_paginator("describe_alarms")
    for page in pages.paginate(AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm"]):
        for alarm in page["MetricAlarms"]:
            state = str(alarm["StateValue"])
            states[state] = states.get(state, 0) + 1
            if state == "ALARM":
                since = alarm.get("StateUpdatedTimestamp")
                ringing.append((alarm["AlarmName"], f"ALARM since {since:%Y-%m-%d %H:%M}"))
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return [Section(heading="alarms", rows=(*ringing, ("all", counts or "none")))]


def _versions(deployed: Deployed, clients: Clients) -> list[Section]:
    rows: list[Row] = []
    codes: set[str] = set()
    for name, function in sorted(deployed.functions.items()):
        found = clients["lambda"].get_function_configuration(FunctionName=function)
        codes.add(str(found["CodeSha256"]))
        said = f"{found.get('Runtime')}  {found['CodeSha256'][:12]}  {found['LastModified'][:19]}"
        state = found.get("State", "Active")
        rows.append((name, said if state == "Active" else f"{said}  {state}"))
    if len(codes) > 1:
        rows.append(("differs", "not all of them run the same package"))
    return [Section(heading="versions deployed", rows=tuple(rows) or (("functions", "none"),))]


def _platform(deployed: Deployed, clients: Clients) -> list[Section]:
    found: dict[str, list[str]] = {}
    for subject, difference in differences(deployed, clients):
        found.setdefault(subject, []).append(difference)
    rows = tuple((subject, "; ".join(said)) for subject, said in found.items())
    return [Section(heading="shared platform", rows=rows or (("as we rely on it", "yes"),))]
