"""`python -m ops migrate plan|apply|rollback|status`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ops.deployed import Deployed, stack_options
from ops.errors import OperatorError
from ops.migrate import plan as planning
from ops.migrate import report
from ops.migrate.apply import carry_out, roll_back
from ops.migrate.change_set import pending
from ops.migrate.journal import Journal, JournalStore
from ops.migrate.legacy import StackAbsentError
from ops.migrate.migration import Migration
from ops.migrate.named import count_rows
from ops.migrate.screen import Terminal
from ops.verify.command import passes


class InterruptedRunError(OperatorError):
    """The operator stopped a run; what was done is noted."""

    exit_code = 130


@click.group()
def migrate() -> None:
    """Move an app from its own WebSocket API to the shared one, on a live CloudFormation stack.

    plan says what will be done, apply does it step by step, rollback takes it back until the old
    API is retired, and status says at any time how far it is.
    """


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--profile", help="The AWS profile to use.")(command)
    command = click.option(
        "--legacy-stack", required=True, metavar="NAME", help="The CloudFormation stack to migrate."
    )(command)
    return stack_options(command)


_bucket_option = click.option(
    "--template-bucket",
    metavar="NAME",
    help="An S3 bucket for a template over the 51,200 bytes that are taken inline.",
)


@migrate.command("plan")
@_options
@click.option("--json", "as_json", is_flag=True, help="The plan as one JSON object.")
def plan_command(deployed: Deployed, legacy_stack: str, profile: str | None, as_json: bool) -> None:
    """Say what would be done, in what order, and what can be undone. Changes nothing.

    What is called like the legacy app's but is not in its stack is listed too, with what points at
    it. Exit status 2 where there is no plan, as for a stack that is not there.
    """
    migration = _migration(deployed, legacy_stack, profile)
    try:
        plan = _plan(migration)
    except StackAbsentError as error:
        found = planning.absent(migration.client, legacy_stack, deployed)
        if as_json:
            by_name = [asdict(one) for one in found]
            click.echo(report.as_json({"stack": legacy_stack, "found_by_name": by_name}))
        raise OperatorError(report.absent_as_text(str(error), found)) from error
    click.echo(report.plan_as_json(plan) if as_json else report.plan_as_text(plan))


@migrate.command("apply")
@_options
@_bucket_option
@click.option("--backup-dir", type=click.Path(path_type=Path), help="Where the backup goes.")
@click.option("--yes", is_flag=True, help="Do not ask: the plan is confirmed.")
@click.option("--take-over", is_flag=True, help="Go on where a run that was killed left off.")
@click.option(
    "--leave-clients", is_flag=True, help="Retire the old API also with clients still on it."
)
@click.option("--canary", metavar="BUSINESS_ID", help="The business that verification may toggle.")
@click.option("--other-business", metavar="BUSINESS_ID", help="A business of somebody else.")
@click.option("--token-command", help="A command that prints a token of the user {name}.")
def apply_command(
    deployed: Deployed,
    legacy_stack: str,
    profile: str | None,
    template_bucket: str | None,
    backup_dir: Path | None,
    yes: bool,
    take_over: bool,
    leave_clients: bool,
    canary: str | None,
    other_business: str | None,
    token_command: str | None,
) -> None:
    """Carry the plan out, step by step; a run that was stopped goes on where it was.

    Exit status 1 when a step's check does not hold, 2 when it could not be tried, 130 when it was
    interrupted. Each of them leaves a journal that status shows.
    """

    def verified() -> bool:
        return passes(
            deployed,
            canary=canary,
            other_business=other_business,
            token_command=token_command,
            profile=profile,
        )

    migration = _migration(
        deployed,
        legacy_stack,
        profile,
        verified=verified,
        template_bucket=template_bucket,
        leave_clients=leave_clients,
    )
    plan = None
    if not migration.store.read().is_underway:
        plan = _plan(migration)
        click.echo(report.plan_as_text(plan))
        if plan.is_done:
            return
        if not yes and not plan.blockers:
            click.confirm("Carry this out?", abort=True)
    folder = backup_dir or Path(f"migration-{legacy_stack}")
    with _interruptible(migration), migration.store.locked(take_over=take_over):
        carry_out(migration, plan, folder.resolve())
    click.echo(f"{legacy_stack} is on the shared API {deployed.api_id}")


@migrate.command("rollback")
@_options
@_bucket_option
@click.option("--take-over", is_flag=True, help="Take the lock of a run that was killed.")
@click.option(
    "--discard-changes",
    is_flag=True,
    help="Also undo what somebody else deployed to the stack since the backup.",
)
def rollback_command(
    deployed: Deployed,
    legacy_stack: str,
    profile: str | None,
    template_bucket: str | None,
    take_over: bool,
    discard_changes: bool,
) -> None:
    """Put everything back as it was; possible until the old API was retired.

    Once it was, exit status 2 and what it would take.
    """
    migration = _migration(deployed, legacy_stack, profile, template_bucket=template_bucket)
    with _interruptible(migration), migration.store.locked(take_over=take_over):
        roll_back(migration, discard_changes=discard_changes)
    click.echo(f"{legacy_stack} is rolled back")


@migrate.command("status")
@_options
@click.option("--json", "as_json", is_flag=True, help="The status as one JSON object.")
def status_command(
    deployed: Deployed, legacy_stack: str, profile: str | None, as_json: bool
) -> None:
    """Say how far the migration is, who is at it, and how the stack stands. Changes nothing."""
    migration = _migration(deployed, legacy_stack, profile)
    journal, held_by = migration.store.read(), migration.store.holder()
    try:
        legacy = migration.legacy()
    except StackAbsentError:
        if not journal.plan:
            raise
        status = report.Status(
            stack=legacy_stack, stack_status="deleted", held_by=held_by, journal=journal
        )
    else:
        table = legacy.table()
        status = report.Status(
            stack=legacy_stack,
            stack_status=legacy.status,
            legacy_api=legacy.api_id(),
            connections=0 if table is None else count_rows(migration.client("dynamodb"), table),
            still_to_go=tuple(sorted(legacy.removals)),
            pending_change_sets=pending(migration.client("cloudformation"), legacy_stack),
            held_by=held_by,
            journal=journal,
        )
    click.echo(report.as_json(asdict(status)) if as_json else report.status_as_text(status))


def _plan(migration: Migration) -> planning.Plan:
    """The plan, with the Lambdas counted on standard error: standard output may be JSON."""
    legacy = migration.legacy()
    with Terminal(sys.stderr).counting("Lambdas looked at") as count:
        return planning.make(legacy, migration.deployed, migration.client, count)


def _migration(
    deployed: Deployed,
    stack: str,
    profile: str | None,
    *,
    verified: Callable[[], bool] = lambda: True,
    template_bucket: str | None = None,
    leave_clients: bool = False,
) -> Migration:
    return Migration(
        deployed=deployed,
        stack=stack,
        profile=profile,
        store=JournalStore(deployed.client("ssm", profile=profile), stack),
        screen=Terminal(),
        verified=verified,
        template_bucket=template_bucket,
        leave_clients=leave_clients,
    )


@contextmanager
def _interruptible(migration: Migration) -> Generator[None]:
    """Ctrl-C as one line that says where it stopped and how to go on."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        journal = migration.store.read()
        raise InterruptedRunError(_stopped(journal)) from interrupt


def _stopped(journal: Journal) -> str:
    at = f"stopped in {journal.doing}" if journal.doing else "stopped between two steps"
    ways = "migrate apply goes on from there, migrate status shows where that is"
    if journal.doing not in {"retire", "confirm"}:
        ways += ", migrate rollback puts everything back"
    if journal.doing in {"announce", "retire"}:
        ways += "; an update that CloudFormation has begun goes on by itself"
    return f"{at}; {ways}"
