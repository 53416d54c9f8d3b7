"""`token`: being one of the sandbox's users."""

import click

from sandbox.bring_up import found
from sandbox.home import home


@click.command()
@click.argument("name")
def token(name: str) -> None:
    """Print a fresh token of the user NAME: merchant1, merchant2, customer1, customer2, driver1."""
    cloud, platform = found(home())
    click.echo(platform.token(cloud, name))
