"""What stops an operator's command: named so that each caller shows it in one line."""

from __future__ import annotations

import click
from botocore.exceptions import ClientError


class OperatorError(click.ClickException):
    """Something that the operator can mend: the text names the thing, the reason and the way out.

    Exit status 2, so that a script tells "could not be done" from "was done and failed" (1).
    """

    exit_code = 2


def code_of(error: ClientError) -> str:
    """AWS's code of a refused call, as `AccessDeniedException`."""
    return error.response.get("Error", {}).get("Code", "unknown")


def refused(error: ClientError) -> OperatorError:
    """A refused call as something that an operator can read."""
    said = error.response.get("Error", {}).get("Message", "")
    return OperatorError(f"{error.operation_name} was refused: {code_of(error)}: {said}")
