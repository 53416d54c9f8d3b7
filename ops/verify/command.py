"""`python -m ops verify`: production deployment validation as one command."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import click
import websockets
from botocore.exceptions import BotoCoreError, ClientError

from ops.deployed import Deployed, stack_options
from ops.errors import OperatorError, refused, unasked
from ops.verify import people as who
from ops.verify import report
from ops.verify.client import NoAnswerError
from ops.verify.guard import guarded
from ops.verify.rows import Rows
from ops.verify.steps import FULL, READ_ONLY
from ops.verify.throttling import ThrottledError
from ops.verify.visit import Check, Full, SkippedError, StepError, Visit


@click.command()
@stack_options
@click.option("--read-only", is_flag=True, help="Only what changes nothing: no token is needed.")
@click.option(
    "--with-order/--without-order",
    default=None,
    help="Write an order of the canary business and see it arrive (default: only in the sandbox).",
)
@click.option(
    "--with-sweep/--without-sweep",
    default=None,
    help="Start the janitor and see the subscriptions go (default: only in the sandbox).",
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
    with_sweep: bool | None,
    canary: str | None,
    other_business: str | None,
    token_command: str | None,
    profile: str | None,
    style: str,
) -> None:
    """Use a deployed stack as its apps do, and say step by step what holds.

    Exit status 0 when every step passed, 1 when one did not, 2 when it, or a step while no other
    failed, could not be tried. What it changes is put back, also when it is interrupted or killed.
    """
    screen = report.Screen(aloud=style == "text")
    if read_only:
        steps = asyncio.run(_take(deployed, None, screen))
    else:
        people = who.find(
            deployed, canary=canary, other=other_business, token_command=token_command
        )
        steps = _in_full(deployed, people, profile, screen, order=with_order, sweep=with_sweep)
    if style == "json":
        click.echo(report.as_json(deployed.url, steps))
    elif style == "junit":
        click.echo(report.as_junit(deployed.url, steps))
    screen.sum_up(steps)
    outcomes = {step.outcome for step in steps}
    if "failed" in outcomes:
        raise SystemExit(1)
    if "throttled" in outcomes:
        raise SystemExit(2)


def passes(
    deployed: Deployed,
    *,
    canary: str | None,
    other_business: str | None,
    token_command: str | None,
    profile: str | None,
) -> bool:
    """Verify in full, each step printed; whether every one of them passed.

    Raises OperatorError where nobody can tell, because steps were throttled and none failed.
    """
    people = who.find(deployed, canary=canary, other=other_business, token_command=token_command)
    screen = report.Screen(aloud=True)
    steps = _in_full(deployed, people, profile, screen, order=False, sweep=False)
    if any(step.outcome == "failed" for step in steps):
        return False
    if throttled := next((step for step in steps if step.outcome == "throttled"), None):
        raise OperatorError(f"{throttled.name}: {throttled.note}")
    return True


def _in_full(
    deployed: Deployed,
    people: who.People,
    profile: str | None,
    screen: report.Screen,
    *,
    order: bool | None,
    sweep: bool | None,
) -> list[report.Step]:
    """All steps, with somebody at hand who puts things back."""
    by_default = deployed.sandbox is not None
    rows = Rows(deployed, profile)  # who is not let in needs nobody to put things back
    with guarded(deployed, profile, people.merchant_token) as guard:
        full = Full(
            people=people,
            rows=rows,
            guard=guard,
            with_order=by_default if order is None else order,
            with_sweep=by_default if sweep is None else sweep,
        )
        return asyncio.run(_take(deployed, full, screen))


async def _take(deployed: Deployed, full: Full | None, screen: report.Screen) -> list[report.Step]:
    """Take the steps one by one; what has nothing to stand on after a failure is skipped."""
    taken: list[report.Step] = []
    async with AsyncExitStack() as stack:
        visit = Visit(deployed=deployed, full=full, stack=stack)
        for name, check in READ_ONLY if full is None else FULL:
            started = time.monotonic()
            with screen.trying(name):
                outcome, note = await _outcome(check, visit)
            seconds = time.monotonic() - started
            taken.append(report.Step(name=name, outcome=outcome, seconds=seconds, note=note))
            screen.show(taken[-1])
    return taken


async def _outcome(check: Check, visit: Visit) -> tuple[report.Outcome, str]:
    try:
        return "passed", await check(visit)
    except SkippedError as error:
        return "skipped", str(error)
    except ThrottledError as error:
        return "throttled", str(error)
    except (StepError, NoAnswerError, OperatorError) as error:
        return "failed", str(error)
    except KeyError as error:
        return "failed", f"the answer lacks {error}"
    except ClientError as error:
        return "failed", str(refused(error))
    except BotoCoreError as error:
        return "failed", str(unasked(error))
    except (OSError, websockets.WebSocketException) as error:
        return "failed", f"{type(error).__name__}: {error}"
