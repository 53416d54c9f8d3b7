"""`python -m ops COMMAND`: the operator's commands, each in a module of its own."""

from __future__ import annotations

import click

from ops.client_config import client_config
from ops.cost.report import cost
from ops.migrate.command import migrate
from ops.repair.command import repair
from ops.status.command import status
from ops.verify.command import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def ops() -> None:
    """Work on a deployed stack of the order receiver."""


for command in (client_config, cost, migrate, repair, status, verify):
    ops.add_command(command)

if __name__ == "__main__":
    ops(prog_name="python -m ops")
