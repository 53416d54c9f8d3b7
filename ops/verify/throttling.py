"""A throttled call says nothing of the stack: it is tried again for a while, then told as such."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.errors import THROTTLES, OperatorError, code_of

PATIENCE_SECONDS = 30.0
"""How long a throttled call is asked again; each try is several of botocore's own."""
_LONGEST_PAUSE: Final = 5.0


class ThrottledError(OperatorError):
    """AWS would not be asked so often: whether the step holds, nobody can tell."""

    def __init__(self, what: str, said: str) -> None:
        super().__init__(
            f"{what} was throttled for {PATIENCE_SECONDS:.0f} s ({said}), which says nothing of "
            "the stack: see who asks so much (the alarms *-throttles), and run it again afterwards"
        )


def pauses() -> Iterator[float]:
    """Seconds to wait before each further try, growing and at random, while there is patience."""
    until, longest = time.monotonic() + PATIENCE_SECONDS, 0.5
    while (left := until - time.monotonic()) > 0:
        yield min(left, longest * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret
        longest = min(2 * longest, _LONGEST_PAUSE)


def patiently(client: Any, operation: str, **parameters: Any) -> Any:
    """A call of AWS, as `get_item`, again while it is throttled.

    Raises ThrottledError when that lasts, and ClientError for whatever else is refused.
    """
    waits = pauses()
    call: Callable[..., Any] = getattr(client, operation)
    while True:
        try:
            return call(**parameters)
        except ClientError as error:
            if code_of(error) not in THROTTLES:
                raise
            if (wait := next(waits, None)) is None:
                of = parameters.get("TableName") or parameters.get("FunctionName")
                raise ThrottledError(f"{error.operation_name} of {of}", code_of(error)) from error
            time.sleep(wait)
