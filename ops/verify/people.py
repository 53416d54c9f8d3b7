"""Who verification speaks as: the users' tokens, and the businesses that are theirs."""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
from dataclasses import dataclass, field

from ops.deployed import Deployed
from ops.errors import OperatorError

MERCHANT_TOKEN = "VERIFY_MERCHANT_TOKEN"  # noqa: S105 - a variable's name
CUSTOMER_TOKEN = "VERIFY_CUSTOMER_TOKEN"  # noqa: S105 - a variable's name


@dataclass(frozen=True, kw_only=True)
class People:
    """The merchant whose business is toggled, a customer, and a business that is another's.

    Where a stack knows no customers, there is no `customer_token`, and the customer's part is
    played by somebody who does not register: opening hours are public. The tokens are left out of
    what is printed.
    """

    merchant_token: str = field(repr=False)
    customer_token: str | None = field(repr=False)
    business_id: str
    other_business_id: str


def find(
    deployed: Deployed, *, canary: str | None, other: str | None, token_command: str | None
) -> People:
    """The people to verify with: the sandbox's own users, or those whose tokens were given.

    The tokens come from VERIFY_MERCHANT_TOKEN and VERIFY_CUSTOMER_TOKEN, or from a command that
    prints one for `{name}`. Raises OperatorError naming what is missing.
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
    merchant = os.environ.get(MERCHANT_TOKEN) or _printed("merchant1", token_command)
    if not merchant:
        raise OperatorError(
            f"no token for the merchant: set {MERCHANT_TOKEN}, or give --token-command, a command "
            "that prints one ({name} in it stands for merchant1 or customer1)"
        )
    return People(
        merchant_token=merchant,
        customer_token=os.environ.get(CUSTOMER_TOKEN) or _printed("customer1", token_command),
        business_id=business,
        other_business_id=foreign,
    )


def subject(token: str) -> str | None:
    """The user that a token names, for comparison only; None where it cannot be read."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["sub"])
    except (IndexError, ValueError, KeyError, TypeError):
        return None


def _printed(name: str, command: str | None) -> str | None:
    if command is None:
        return None
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
