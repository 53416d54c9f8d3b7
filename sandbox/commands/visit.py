"""`token` and `prove`: being one of the sandbox's users."""

import click

from sandbox import own_stack
from sandbox.bring_up import found
from sandbox.commands.state import deployed_outputs
from sandbox.commands.target import Target, target_options
from sandbox.errors import SandboxError
from sandbox.home import home


@click.command()
@click.argument("name")
def token(name: str) -> None:
    """Print a fresh token of the user NAME: merchant1, merchant2, customer1, customer2, driver1."""
    cloud, platform = found(home())
    click.echo(platform.token(cloud, name))


@click.command()
@target_options
def prove(target: Target) -> None:
    """Use the deployed stack as its apps do: `python -m ops verify` on it."""
    if not target.own:
        raise SandboxError("prove", "only this repository's stack has a proof", "leave out --cwd")
    outputs = deployed_outputs(target)
    own_stack.prove(*found(target.home), outputs)
