"""The commands of `python -m sandbox`, one module for each group of them."""

import errno
import sys

import click

from sandbox.commands.deploy import destroy, preview, refresh, up
from sandbox.commands.life import down, status
from sandbox.commands.logs import logs
from sandbox.commands.settings import config
from sandbox.commands.state import export, import_, outputs
from sandbox.commands.visit import token
from sandbox.console import fail
from sandbox.errors import SandboxError
from sandbox.home import home
from sandbox.stack import EngineError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NO_PLACE = {errno.EROFS, errno.EACCES, errno.ENOTDIR, errno.EEXIST}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def sandbox() -> None:
    """Run Pulumi programs against a cloud on this machine: no account, no download.

    Without --cwd the program is this repository, on the stand-in of the shared platform.
    """


for _command in (up, preview, refresh, destroy, down, status, logs, token):
    sandbox.add_command(_command)
for _command in (outputs, export, import_, config):
    sandbox.add_command(_command)


def main() -> None:
    """Run a command; what was foreseen ends in one line, and Ctrl-C in none."""
    try:
        sys.exit(sandbox.main(prog_name="python -m sandbox", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (SandboxError, EngineError) as error:
        fail(str(error))
        sys.exit(1)
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone: there is nobody to tell
        sys.exit(141)
    except OSError as error:
        if error.errno in _NO_ROOM:
            way_out = "make room there and run it again: nothing is lost"
        elif error.errno in _NO_PLACE:
            way_out = "make it writable, or set SANDBOX_HOME to another folder"
        else:
            raise
        fail(f"{error.filename or f'the disk of {home()}'}: {error.strerror}; {way_out}")
        sys.exit(1)
