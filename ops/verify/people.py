"""Who verification speaks as: the users' tokens, and the businesses that are theirs."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass

from ops.deployed import Deployed
from ops.errors import OperatorError

MERCHANT_TOKEN = "VERIFY_MERCHANT_TOKEN"  # noqa: S105 - a variable's name
CUSTOMER_TOKEN = "VERIFY_CUSTOMER_TOKEN"  # noqa: S105 - a variable's name


@dataclass(frozen=True, kw_only=True)
class People:
    """The merchant whose business is toggled, a customer, and a business that is another's."""

    merchant_token: str
    customer_token: str
    business_id: str
    other_business_id: str

    def __repr__(self) -> str:
        """Without the tokens: this may end up in an error's text."""
        return f"People(business_id={self.business_id!r})"


def find(
    deployed: Deployed, *, canary: str | None, other: str | None, token_command: str | None
) -> People:
    """The people to verify with: the sandbox's own users, or those whose tokens were given.

    On an account the tokens come from VERIFY_MERCHANT_TOKEN and VERIFY_CUSTOMER_TOKEN, or from
    a command that prints one for `{name}`. Raises OperatorError naming what is missing.
    """
    businesses = [
        user["businessId"]
        for user in (deployed.sandbox.users if deployed.sandbox else ())
        if user.get("businessId")
    ]
    business = canary or (businesses[0] if businesses else None)
    foreign = other or next((b for b in businesses if b != business), None)
    if business is None:
        raise OperatorError("say whose switch may be flipped: --canary BUSINESS_ID")
    if foreign is None:
        raise OperatorError("name a business of somebody else: --other-business BUSINESS_ID")
    return People(
        merchant_token=_token("merchant1", MERCHANT_TOKEN, token_command),
        customer_token=_token("customer1", CUSTOMER_TOKEN, token_command),
        business_id=business,
        other_business_id=foreign,
    )


def _token(name: str, variable: str, command: str | None) -> str:
    if command is None:
        token = os.environ.get(variable, "")
        if not token:
            raise OperatorError(
                f"no token for {name}: set {variable}, or give --token-command, a command that "
                "prints one ({name} in it stands for the user)"
            )
        return token
    words = [word.replace("{name}", name) for word in shlex.split(command)]
    try:
        asked = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OperatorError(f"the token command could not be run: {error}") from error
    if asked.returncode or not asked.stdout.strip():
        raise OperatorError(
            f"the token command failed for {name} (exit status {asked.returncode}): "
            f"{asked.stderr.strip()[:300]}"
        )
    return asked.stdout.strip()
