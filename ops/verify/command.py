"""`python -m ops verify`: production deployment validation as one command."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import click

from ops.deployed import Deployed, stack_options
from ops.verify import people as who
from ops.verify import report
from ops.verify.rows import Rows
from ops.verify.steps import Check, Visit, run, steps_for


@click.command()
@stack_options
@click.option("--read-only", is_flag=True, help="Only what changes nothing: no token is needed.")
@click.option(
    "--with-order/--without-order",
    default=None,
    help="Write an order of the canary business and see it arrive (default: only in the sandbox).",
)
@click.option("--canary", metavar="BUSINESS_ID", help="The business whose switch may be flipped.")
@click.option("--other-business", metavar="BUSINESS_ID", help="A business of somebody else.")
@click.option("--token-command", help="A command that prints a token of the user {name}.")
@click.option("--profile", help="The AWS profile to read the tables with.")
@click.option("--format", "style", type=click.Choice(["text", "json", "junit"]), default="text")
def verify(
    deployed: Deployed,
    read_only: bool,
    with_order: bool | None,
    canary: str | None,
    other_business: str | None,
    token_command: str | None,
    profile: str | None,
    style: str,
) -> None:
    """Use a deployed stack as its apps do, and say step by step what holds.

    Exit status 0 when every step passed, 1 when one did not, 2 when it could not be tried.
    """
    people = None
    if not read_only:
        people = who.find(
            deployed, canary=canary, other=other_business, token_command=token_command
        )
    if with_order is None:
        with_order = deployed.sandbox is not None and "order_events" in deployed.functions
    wanted = steps_for(read_only=read_only, with_order=with_order)
    steps = asyncio.run(_take(deployed, people, profile, wanted, aloud=style == "text"))
    if style == "json":
        click.echo(report.as_json(deployed.url, steps))
    elif style == "junit":
        click.echo(report.as_junit(deployed.url, steps))
    else:
        click.echo(report.summary(steps))
    if any(step.outcome == "failed" for step in steps):
        raise SystemExit(1)


def passes(
    deployed: Deployed,
    *,
    canary: str | None,
    other_business: str | None,
    token_command: str | None,
    profile: str | None,
) -> bool:
    """Verify in full, each step printed; whether every one of them passed."""
    people = who.find(deployed, canary=canary, other=other_business, token_command=token_command)
    wanted = steps_for(read_only=False, with_order=False)
    steps = asyncio.run(_take(deployed, people, profile, wanted, aloud=True))
    return not any(step.outcome == "failed" for step in steps)


async def _take(
    deployed: Deployed,
    people: who.People | None,
    profile: str | None,
    steps: tuple[tuple[str, Check], ...],
    *,
    aloud: bool,
) -> list[report.Step]:
    rows = None if people is None else Rows(deployed, profile)
    visit = Visit(deployed=deployed, people=people, rows=rows, stack=AsyncExitStack())
    taken: list[report.Step] = []
    async for step in run(visit, steps):
        taken.append(step)
        if aloud:
            click.echo(report.line(step))
    return taken
