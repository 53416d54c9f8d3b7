"""Pulumi's look-ups, whose failures become findings instead of ending the program."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from components.refusal import Findings

Found = TypeVar("Found")


def answered(look_up: Callable[[], Found], subject: str, findings: Findings) -> Found | None:
    """The result of a look-up; None, and a problem that says why, where it found nothing."""
    try:
        return look_up()
    except Exception as failure:  # noqa: BLE001  Pulumi raises nothing narrower from a failed look-up
        reason = str(failure)
    if re.search(
        r"not\s?found|couldn't find|could not find|no matching|there is no", reason, re.IGNORECASE
    ):
        findings.refuse(
            subject,
            "does not exist in this account and Region",
            "correct the name, or check aws:region and the credentials; "
            "the platform's team provides it",
        )
    else:
        findings.refuse(
            subject,
            f"could not be looked up: {reason}",
            "see that the credentials may read it, and try again",
        )
    return None
