"""`python -m ops migrate plan|apply|rollback|status`."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from ops.deployed import Deployed, stack_options
from ops.errors import OperatorError, refused
from ops.migrate import plan as planning
from ops.migrate.apply import Migration, carry_out, roll_back
from ops.migrate.journal import JournalStore
from ops.migrate.legacy import read
from ops.verify.command import passes


class Terminal:
    """The operator's terminal: lines, and a count that replaces itself."""

    def __init__(self) -> None:
        self._counted = ""

    def say(self, text: str) -> None:
        """Print a line."""
        self._counted = ""
        click.echo(text)

    def counted(self, what: str, done: int, total: int | None) -> None:
        """Print how far a long step is, when it got further."""
        text = f"  {what}: {done}" + (f" of {total}" if total is not None else "")
        if text != self._counted:
            self._counted = text
            click.echo(text)


@click.group()
def migrate() -> None:
    """Move an app from its own WebSocket API to the shared one, on a live CloudFormation stack."""


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
    """Say what would be done, in what order, and what can be undone. Reads only."""
    with _readable_errors():
        plan = _plan(deployed, legacy_stack, profile)
    click.echo(planning.as_json(plan) if as_json else planning.as_text(plan))


@migrate.command("apply")
@_options
@_bucket_option
@click.option("--backup-dir", type=click.Path(path_type=Path), help="Where the backup goes.")
@click.option("--yes", is_flag=True, help="Do not ask: the plan is confirmed.")
@click.option("--take-over", is_flag=True, help="Go on where a run that was killed left off.")
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
    canary: str | None,
    other_business: str | None,
    token_command: str | None,
) -> None:
    """Carry the plan out, step by step; a run that was stopped goes on where it was."""

    def verified() -> bool:
        return passes(
            deployed,
            canary=canary,
            other_business=other_business,
            token_command=token_command,
            profile=profile,
        )

    with _readable_errors():
        migration = _migration(deployed, legacy_stack, profile, verified, template_bucket)
        plan = _plan(deployed, legacy_stack, profile)
        journal = migration.store.read()
        underway = bool(journal.plan) and not journal.rolled_back and "confirm" not in journal.done
        if plan.is_done and not underway:
            click.echo(planning.as_text(plan))
            return
        if not underway:
            click.echo(planning.as_text(plan))
            if not yes:
                click.confirm("Carry this out?", abort=True)
        folder = backup_dir or Path(f"migration-{legacy_stack}")
        with migration.store.locked(take_over=take_over):
            carry_out(migration, plan, folder.resolve())
        click.echo(f"{legacy_stack} is on the shared API {deployed.api_id}")


@migrate.command("rollback")
@_options
@_bucket_option
@click.option("--take-over", is_flag=True, help="Take the lock of a run that was killed.")
def rollback_command(
    deployed: Deployed,
    legacy_stack: str,
    profile: str | None,
    template_bucket: str | None,
    take_over: bool,
) -> None:
    """Put everything back as it was; possible until the old API was retired."""
    with _readable_errors():
        migration = _migration(deployed, legacy_stack, profile, lambda: True, template_bucket)
        with migration.store.locked(take_over=take_over):
            roll_back(migration)
        click.echo(f"{legacy_stack} is rolled back")


@migrate.command("status")
@_options
def status_command(deployed: Deployed, legacy_stack: str, profile: str | None) -> None:
    """Print how far the migration is, who is at it, and how the stack stands, as JSON."""
    with _readable_errors():
        store = JournalStore(deployed.client("ssm", profile=profile), legacy_stack)
        legacy = read(deployed.client("cloudformation", profile=profile), legacy_stack)
        document = {
            "stack": legacy_stack,
            "stackStatus": legacy.status,
            "legacyApi": legacy.api_id(),
            "stillToGo": sorted(legacy.retired.all),
            "heldBy": store.holder(),
            "journal": asdict(store.read()),
        }
    click.echo(json.dumps(document, indent=2))


def _plan(deployed: Deployed, stack: str, profile: str | None) -> planning.Plan:
    legacy = read(deployed.client("cloudformation", profile=profile), stack)
    return planning.make(legacy, deployed, deployed.client("lambda", profile=profile))


def _migration(
    deployed: Deployed,
    stack: str,
    profile: str | None,
    verified: Callable[[], bool],
    template_bucket: str | None,
) -> Migration:
    return Migration(
        deployed=deployed,
        stack=stack,
        profile=profile,
        store=JournalStore(deployed.client("ssm", profile=profile), stack),
        screen=Terminal(),
        verified=verified,
        template_bucket=template_bucket,
    )


@contextmanager
def _readable_errors() -> Generator[None]:
    """AWS's refusals as one line; what was done before one stays noted in the journal."""
    try:
        yield
    except ClientError as error:
        raise refused(error) from error
    except BotoCoreError as error:
        raise OperatorError(f"AWS could not be asked: {error}") from error
