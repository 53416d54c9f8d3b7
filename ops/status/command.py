"""`python -m ops status`: connections, subscriptions, queue, alarms, versions and drift."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

from ops.deployed import Deployed, stack_options
from ops.status.platform import drift
from ops.status.tables import AGES, count_connections, count_subscriptions, pages


@dataclass(frozen=True, kw_only=True)
class Section:
    """One heading of the table with its rows of name and value."""

    heading: str
    rows: tuple[tuple[str, str], ...]


@click.command()
@stack_options
@click.option("--profile", help="The AWS profile to look with.")
@click.option("--watch", type=click.IntRange(min=2), metavar="SECONDS", help="Refresh for ever.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def status(deployed: Deployed, profile: str | None, watch: int | None, as_json: bool) -> None:
    """Show how a deployed stack is doing."""
    if as_json:
        sections = _gather(deployed, profile)
        click.echo(json.dumps({s.heading: dict(s.rows) for s in sections}, indent=2))
        return
    if watch is None:
        Console().print(_table(deployed, _gather(deployed, profile)))
        return
    with Live(_table(deployed, _gather(deployed, profile)), auto_refresh=False) as live:
        while True:
            time.sleep(watch)
            live.update(_table(deployed, _gather(deployed, profile)), refresh=True)


def _gather(deployed: Deployed, profile: str | None) -> list[Section]:
    return [
        *_tables(deployed, profile),
        _queue(deployed, profile),
        _alarms(deployed, profile),
        _versions(deployed, profile),
        _drift(deployed, profile),
    ]


def _tables(deployed: Deployed, profile: str | None) -> list[Section]:
    client = deployed.client("dynamodb", profile=profile)
    now = time.time()
    connections = count_connections(
        pages(
            client,
            deployed.connections_table,
            ("connectionId", "entityType", "connectedAt", "ttl"),
        ),
        now,
    )
    subscriptions = count_subscriptions(
        pages(client, deployed.subscriptions_table, ("connectionId", "topic", "ttl")),
        connections.ids,
        now,
    )
    order = [name for name, _ in AGES]
    rows = sorted(connections.by_app.items(), key=lambda row: (row[0][0], order.index(row[0][1])))
    return [
        Section(
            heading="connections",
            rows=(
                *((f"{app}, {age}", str(count)) for (app, age), count in rows),
                ("past their end", str(connections.stale)),
            ),
        ),
        Section(
            heading="subscriptions",
            rows=(
                *((kind, str(count)) for kind, count in sorted(subscriptions.by_kind.items())),
                ("without a connection", str(subscriptions.orphans)),
                ("past their end", str(subscriptions.stale)),
            ),
        ),
    ]


def _queue(deployed: Deployed, profile: str | None) -> Section:
    if deployed.fanout_queue_url is None:
        return Section(heading="fan-out queue", rows=(("queue", "none in the outputs"),))
    client = deployed.client("sqs", profile=profile)
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    answer = client.get_queue_attributes(
        QueueUrl=deployed.fanout_queue_url, AttributeNames=list(names)
    )
    attributes: dict[str, str] = answer["Attributes"]
    return Section(
        heading="fan-out queue",
        rows=(
            ("waiting", attributes[names[0]]),
            ("being delivered", attributes[names[1]]),
        ),
    )


def _alarms(deployed: Deployed, profile: str | None) -> Section:
    client = deployed.client("cloudwatch", profile=profile)
    ours = set(deployed.functions.values())
    states: dict[str, int] = {}
    ringing: list[tuple[str, str]] = []
    for page in client.get_paginator("describe_alarms").paginate():
        for alarm in page["MetricAlarms"]:
            if not _is_ours(alarm, deployed, ours):
                continue
            states[alarm["StateValue"]] = states.get(alarm["StateValue"], 0) + 1
            if alarm["StateValue"] == "ALARM":
                ringing.append((alarm["AlarmName"], "ALARM"))
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return Section(heading="alarms", rows=(*ringing, ("all", counts or "none")))


def _is_ours(alarm: dict[str, Any], deployed: Deployed, functions: set[str]) -> bool:
    name = str(alarm["AlarmName"])
    return any(name.startswith(function) for function in functions) or (
        "order-receiver" in name and deployed.stage in name
    )


def _versions(deployed: Deployed, profile: str | None) -> Section:
    client = deployed.client("lambda", profile=profile)
    rows: list[tuple[str, str]] = []
    for name, function in sorted(deployed.functions.items()):
        found = client.get_function_configuration(FunctionName=function)
        code = str(found["CodeSha256"])[:12]
        rows.append((name, f"{found['Runtime']}  {code}  {found['LastModified'][:19]}"))
    return Section(heading="versions deployed", rows=tuple(rows))


def _drift(deployed: Deployed, profile: str | None) -> Section:
    differences = drift(deployed, profile=profile)
    rows = tuple(("differs", text) for text in differences)
    return Section(heading="shared platform", rows=rows or (("as we rely on it", "yes"),))


def _table(deployed: Deployed, sections: list[Section]) -> Table:
    table = Table(title=f"{deployed.url}", show_header=False, title_justify="left")
    for section in sections:
        table.add_row(section.heading, "", style="bold")
        for name, value in section.rows:
            table.add_row(f"  {name}", value)
        table.add_section()
    return table
