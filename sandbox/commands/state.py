"""`outputs`, `export` and `import`: what an engine knows of a stack."""

import json
from pathlib import Path
from typing import IO

import click

from sandbox.bring_up import found
from sandbox.commands.target import Target, target_options
from sandbox.console import Console
from sandbox.errors import SandboxError
from sandbox.home import alone
from sandbox.own_stack import about


@click.command()
@target_options
@click.option("-j", "--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--show-secrets", is_flag=True, help="Show secret outputs in clear.")
def outputs(target: Target, as_json: bool, show_secrets: bool) -> None:
    """Print the stack's outputs."""
    sandbox = about(*found(target.home)) if target.own else None
    values = target.engine.outputs(target.stack(), show_secrets=show_secrets)
    if target.own and "webSocketUrl" not in values:
        raise SandboxError(f"stack {target.stack_name}", "it is not deployed", "run: make up")
    Console().values(values | ({"sandbox": sandbox} if sandbox else {}), as_json=as_json)


@click.command()
@target_options
@click.option("--file", type=click.File("w", lazy=True), default="-", help="Instead of stdout.")
def export(target: Target, file: IO[str]) -> None:
    """Print the state in the form of `pulumi stack export`."""
    click.echo(json.dumps(target.engine.export(target.stack()), indent=4), file=file)


@click.command("import")
@target_options
@click.option("--file", type=click.File(), default="-", help="Instead of stdin.")
def import_(target: Target, file: IO[str]) -> None:
    """Replace the state by one that `export` or `pulumi stack export` gave."""
    try:
        deployment = json.load(file)
    except ValueError as error:
        reason = f"is not JSON ({error})"
        raise SandboxError(Path(file.name).name, reason, "give what `export` printed") from error
    if not isinstance(deployment, dict):
        raise SandboxError(file.name, "is not a JSON object", "give what `export` printed")
    with alone(target.home, "import"):
        target.engine.import_(target.stack(), deployment)
