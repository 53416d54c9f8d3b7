"""`python -m ops COMMAND`: the operator's commands, each in a module of its own."""

from __future__ import annotations

import importlib
import signal
import sys

import click

# Command -> its module, so that a command loads what it needs and no more.
_COMMANDS = {
    "client-config": "client_config",
    "cost": "cost.report",
    "migrate": "migrate.command",
    "repair": "repair.command",
    "status": "status.command",
    "verify": "verify.command",
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
        module = importlib.import_module(f"ops.{_COMMANDS[cmd_name]}")
        return getattr(module, cmd_name.replace("-", "_"))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def ops() -> None:
    """Work on a deployed stack of the order receiver."""


def main() -> None:
    """Run a command; one that is told to end does so as with Ctrl-C, and tidies up."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(ops.main(prog_name="python -m ops", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort as abort:
        interrupted = isinstance(abort.__cause__, KeyboardInterrupt)
        click.echo("interrupted" if interrupted else "not confirmed: nothing was done", err=True)
        sys.exit(130 if interrupted else 1)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone: there is nobody to tell
        sys.exit(141)


if __name__ == "__main__":
    main()
