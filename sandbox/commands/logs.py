"""`logs`: what the Lambdas and the cloud itself have written."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.errors import SandboxError
from sandbox.home import home

_PREFIX = "/aws/lambda/"


@click.command()
@click.argument("function", default="")
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C.")
@click.option("-n", "--lines", default=100, show_default=True, help="How many of the last lines.")
@click.option("--cloud", "of_cloud", is_flag=True, help="What the cloud itself wrote.")
def logs(function: str, follow: bool, lines: int, of_cloud: bool) -> None:
    """Print what the Lambdas wrote, oldest first; FUNCTION is a part of a Lambda's name."""
    cloud, seen = clouds.connect(home()), None
    while True:
        written = (
            cloud.log.read_text(errors="replace").splitlines()
            if of_cloud
            else _lambda_lines(cloud, function)
        )
        for line in written[-lines:] if seen is None else written[seen:]:
            click.echo(line)
        if not follow:
            return
        seen = len(written)
        time.sleep(0.5)


def _lambda_lines(cloud: Cloud, function: str) -> list[str]:
    groups = [
        group["logGroupName"]
        for group in _all(cloud, "describe_log_groups", "logGroups", logGroupNamePrefix=_PREFIX)
    ]
    asked = [name for name in groups if function in name]
    if function and not asked:
        known = ", ".join(name.removeprefix(_PREFIX) for name in groups) or "none yet"
        raise SandboxError(
            f"the log of {function}", "no Lambda of that name has written", f"there are: {known}"
        )
    events = [
        (event["timestamp"], f"{name.removeprefix(_PREFIX)}: {event['message'].rstrip()}")
        for name in asked
        for event in _all(cloud, "filter_log_events", "events", logGroupName=name)
    ]
    events.sort(key=lambda event: event[0])  # what was written at one moment keeps its order
    return [f"{_clock(when)} {text}" for when, text in events]


def _all(cloud: Cloud, operation: str, key: str, **given: str) -> Iterator[dict[str, Any]]:
    for page in cloud.client("logs").get_paginator(operation).paginate(**given):
        yield from page[key]


def _clock(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
