"""`outputs`, `export` and `import`: what an engine knows of a stack."""

import json
from pathlib import Path
from typing import IO, Any

import click

from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.commands.target import Target, found, target_options
from sandbox.console import Console
from sandbox.errors import SandboxError
from sandbox.home import alone
from sandbox.platform import Platform
from sandbox.stack import Stack


@click.command()
@target_options
@click.option("-j", "--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--show-secrets", is_flag=True, help="Show secret outputs in clear.")
def outputs(target: Target, as_json: bool, show_secrets: bool) -> None:
    """Print the stack's outputs."""
    if target.own:
        cloud, platform = found(target.home)
        values = _outputs(target, target.stack(cloud), show_secrets=show_secrets)
        values["sandbox"] = about(cloud, platform)
    else:
        values = _outputs(target, _stack(target), show_secrets=show_secrets)
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return
    rows = [
        (name, value if isinstance(value, str) else json.dumps(value))
        for name, value in values.items()
    ]
    Console().table(rows)


@click.command()
@target_options
@click.option("--file", "target_file", type=click.Path(dir_okay=False, path_type=Path))
def export(target: Target, target_file: Path | None) -> None:
    """Print the state in the form of `pulumi stack export`."""
    text = json.dumps(target.engine.export(_stack(target)), indent=4)
    if target_file is None:
        click.echo(text)
    else:
        target_file.write_text(text + "\n")


@click.command("import")
@target_options
@click.option("--file", "source", type=click.File("r"), default="-", help="Instead of stdin.")
def import_(target: Target, source: IO[str]) -> None:
    """Replace the state by one that `export` or `pulumi stack export` gave."""
    try:
        deployment = json.load(source)
    except ValueError as error:
        raise SandboxError(
            source.name, f"is not JSON ({error})", "give what `export` printed"
        ) from error
    if not isinstance(deployment, dict):
        raise SandboxError(source.name, "is not a JSON object", "give what `export` printed")
    with alone(target.home, "import"):
        target.engine.import_(_stack(target), deployment)


def about(cloud: Cloud, platform: Platform) -> dict[str, Any]:
    """Return what a client must know of the sandbox beside the stack's own outputs."""
    return {
        "endpoint": cloud.endpoint,
        "region": cloud.region,
        "users": [
            {
                "name": user.name,
                "role": user.role,
                "userId": user.user_id,
                "businessId": user.business_id,
            }
            for user in platform.users
        ],
    }


def _outputs(target: Target, stack: Stack, *, show_secrets: bool) -> dict[str, Any]:
    values = target.engine.outputs(stack, show_secrets=show_secrets)
    if target.own and "webSocketUrl" not in values:
        raise SandboxError(f"stack {target.stack_name}", "it is not deployed", "run: make up")
    return dict(values)


def _stack(target: Target) -> Stack:
    """The state can be read without a cloud."""
    try:
        return target.stack(clouds.connect(target.home))
    except clouds.CloudNotRunningError:
        return target.stack(None)
