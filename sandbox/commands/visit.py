"""`token` and `prove`: being one of the sandbox's users."""

import click

from sandbox.commands.target import Target, found, target_options
from sandbox.console import Console
from sandbox.errors import SandboxError
from sandbox.home import home
from sandbox.proof import prove as prove_it


@click.command()
@click.argument("name")
def token(name: str) -> None:
    """Print a fresh token of the user NAME: merchant1, merchant2, customer1, customer2, driver1."""
    cloud, platform = found(home())
    click.echo(platform.token(cloud, name))


@click.command()
@target_options
def prove(target: Target) -> None:
    """Use the deployed stack as a client would."""
    if not target.own:
        raise SandboxError("prove", "only this repository's stack has a proof", "leave out --cwd")
    cloud, platform = found(target.home)
    outputs = target.engine.outputs(target.stack(cloud))
    if "webSocketUrl" not in outputs:
        raise SandboxError(f"stack {target.stack_name}", "it is not deployed", "run: make up")
    prove_it(cloud, platform, outputs, Console())
