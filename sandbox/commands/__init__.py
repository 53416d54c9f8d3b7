"""The commands of `python -m sandbox`, one module for each group of them."""

import importlib
import sys

import click

from sandbox.errors import SandboxError
from sandbox.stack import EngineError

# Command -> its module, so that a command loads what it needs and no more.
_COMMANDS = {
    "up": "deploy",
    "preview": "deploy",
    "refresh": "deploy",
    "destroy": "deploy",
    "down": "life",
    "status": "life",
    "logs": "logs",
    "outputs": "state",
    "export": "state",
    "import": "state",
    "config": "settings",
    "token": "visit",
    "prove": "visit",
}


class _Commands(click.Group):
    """Loads a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"sandbox.commands.{_COMMANDS[cmd_name]}")
        return getattr(module, "import_" if cmd_name == "import" else cmd_name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def sandbox() -> None:
    """Run Pulumi programs against a cloud on this machine: no account, no download.

    Without --cwd the program is this repository, on the stand-in of the shared platform.
    """


def main() -> None:
    """Run a command; what was foreseen ends in one line, and Ctrl-C in none."""
    try:
        sys.exit(sandbox.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SandboxError as error:
        from sandbox.console import fail

        fail(error)
        sys.exit(1)
    except EngineError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone: there is nobody to tell
        sys.exit(141)
