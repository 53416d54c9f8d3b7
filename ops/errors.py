"""What stops an operator's command: named so that each caller shows it in one line."""

from __future__ import annotations

import click


class OperatorError(click.ClickException):
    """Something that the operator can mend: the text names the thing, the reason and the way out.

    Exit status 2, so that a script tells "could not be done" from "was done and failed" (1).
    """

    exit_code = 2
