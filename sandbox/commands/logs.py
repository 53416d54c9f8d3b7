"""`logs`: what the Lambdas and the cloud itself have written."""

import sys
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
    cloud = clouds.connect(home())
    source = _cloud_lines(cloud) if of_cloud else _lambda_lines(cloud, function)
    for line in source[-lines:]:
        click.echo(line)
    seen = len(source)
    while follow:
        time.sleep(0.5)
        source = _cloud_lines(cloud) if of_cloud else _lambda_lines(cloud, function)
        for line in source[seen:]:
            click.echo(line)
        sys.stdout.flush()
        seen = len(source)


def _cloud_lines(cloud: Cloud) -> list[str]:
    return cloud.log.read_text(errors="replace").splitlines()


def _lambda_lines(cloud: Cloud, function: str) -> list[str]:
    groups = [name for name in _groups(cloud) if function in name]
    if function and not groups:
        known = ", ".join(name.removeprefix(_PREFIX) for name in _groups(cloud)) or "none yet"
        raise SandboxError(
            f"the log of {function}", "no Lambda of that name has written", f"there are: {known}"
        )
    events = [
        (event["timestamp"], name.removeprefix(_PREFIX), event["message"].rstrip())
        for name in groups
        for event in _events(cloud, name)
    ]
    events.sort(key=lambda event: event[0])  # what was written at one moment keeps its order
    return [f"{_clock(when)} {name}: {text}" for when, name, text in events]


def _groups(cloud: Cloud) -> list[str]:
    pages = cloud.client("logs").get_paginator("describe_log_groups")
    return [
        group["logGroupName"]
        for page in pages.paginate(logGroupNamePrefix=_PREFIX)
        for group in page["logGroups"]
    ]


def _events(cloud: Cloud, group: str) -> Iterator[dict[str, Any]]:
    for page in (
        cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    ):
        yield from page["events"]


def _clock(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
