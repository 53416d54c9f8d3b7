"""`python -m ops repair`: finds what the former handler left, and mends it on --apply."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import click

from ops.deployed import Deployed, stack_options
from ops.errors import OperatorError
from ops.paced import PacedTables
from ops.repair import report
from ops.repair.decisions import Table
from ops.repair.journal import TABLES, Journal, kept
from ops.repair.progress import followed
from ops.repair.run import Repair
from ops.repair.surroundings import Reader


@click.command()
@stack_options
@click.option("--apply", "writes", is_flag=True, help="Mend; without it nothing is written.")
@click.option(
    "--rate",
    type=click.FloatRange(min=1),
    default=200.0,
    show_default=True,
    help="Capacity units a second that may be used of the tables, reads and writes together.",
)
@click.option(
    "--journal",
    "journal_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where --apply notes what it does and how far it is.  [default: repair-TABLE.jsonl]",
)
@click.option("--anew", is_flag=True, help="Begin anew where a run was broken off.")
@click.option(
    "--businesses-table", help="Default: what the deployed websocket Lambda uses.", metavar="NAME"
)
@click.option("--profile", help="The AWS profile to use.")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object.")
def repair(
    deployed: Deployed,
    writes: bool,
    rate: float,
    journal_file: Path | None,
    anew: bool,
    businesses_table: str | None,
    profile: str | None,
    as_json: bool,
) -> None:
    """Find the rows that the former handler left wrong; with --apply, mend them.

    Every write is conditional on what was read: what changed meanwhile is left alone. A run that
    was broken off goes on where it was when it is called again.
    """
    client = deployed.client("dynamodb", profile=profile)
    names: dict[Table, str] = {
        "connections": deployed.connections_table,
        "subscriptions": deployed.subscriptions_table,
    }
    businesses = businesses_table or _businesses_table(deployed, profile)
    totals: dict[Table, int] = {
        table: client.describe_table(TableName=names[table])["Table"]["ItemCount"]
        for table in TABLES
    }
    tables = PacedTables(client, units_per_second=rate)
    subject = f"{deployed.connections_table} behind {deployed.management_endpoint}"
    path = journal_file or Path(f"repair-{deployed.connections_table}.jsonl")
    opened = kept(path, subject, anew=anew) if writes else nullcontext(Journal(subject=subject))
    with opened as journal:
        if journal.continued:
            click.echo(f"going on where {path} says that a run was broken off", err=True)
        reader = Reader(
            tables,
            connections=deployed.connections_table,
            subscriptions=deployed.subscriptions_table,
            businesses=businesses,
        )
        try:
            with followed(totals) as follow:
                Repair(
                    tables=tables,
                    names=names,
                    reader=reader,
                    journal=journal,
                    follow=follow,
                    writes=writes,
                ).carry_out()
        finally:
            _tell(journal, path, writes=writes, as_json=as_json)


def _tell(journal: Journal, path: Path, *, writes: bool, as_json: bool) -> None:
    """Print the report, also of a run that is being broken off."""
    told = report.as_json if as_json else report.as_text
    click.echo(told(journal, applied=writes))
    journal.tell()
    if journal.state == "unfinished":
        further = "the same command goes on from there" if writes else "nothing was written"
        noted = f" {path} holds the place:" if writes else ""
        click.echo(f"not at the end:{noted} {further}", err=True)


def _businesses_table(deployed: Deployed, profile: str | None) -> str:
    """The table that says who owns a business, as the deployed handler knows it."""
    function = deployed.functions.get("websocket")
    name: object = None
    if function:
        client = deployed.client("lambda", profile=profile)
        found = client.get_function_configuration(FunctionName=function)
        name = found.get("Environment", {}).get("Variables", {}).get("BUSINESSES_TABLE")
    if not name:
        raise OperatorError(
            "the stack does not say which table knows who owns a business: deploy the present "
            "version, or give --businesses-table NAME"
        )
    return str(name)
