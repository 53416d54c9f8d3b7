"""Updates of a stack while they run: whoever began them, and however they end."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ops.errors import OperatorError

POLL_SECONDS = 2.0
_UNTIL_BEGUN: Final = 30
"""Looks at the stack after which an update that never showed counts as over."""


def await_settled(client: Any, stack: str, said: Callable[[str], None]) -> None:
    """Wait for an update that is under way, as one that a killed run has begun."""
    for look in itertools.count():
        status = str(stack_now(client, stack)["StackStatus"])
        if not (status.startswith("UPDATE_") and status.endswith("_IN_PROGRESS")):
            return
        if not look:
            said(f"  {stack} is {status}: waiting for it")
        time.sleep(POLL_SECONDS)


def updates(client: Any, stack: str, updated: object) -> Iterator[set[str]]:
    """The resources that are through, again and again until an update is over, deletions included.

    `updated` is when the stack was updated before: right after the order to execute it may still
    show the state that it had. Raises OperatorError when the update ends badly.
    """
    for look in itertools.count():
        now = stack_now(client, stack)
        status = str(now["StackStatus"])
        begun = now.get("LastUpdatedTime") != updated or look > _UNTIL_BEGUN
        if begun:
            yield _finished(client, stack)
        if begun and status == "UPDATE_COMPLETE":
            return
        if begun and not status.endswith("_IN_PROGRESS"):
            raise OperatorError(f"the update of {stack} ended {status}: {_why(client, stack)}")
        time.sleep(POLL_SECONDS)


def _why(client: Any, stack: str) -> str:
    reasons = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
        for event in _events_of_update(client, stack)
        if str(event.get("ResourceStatus", "")).endswith("_FAILED")
    ]
    return "; ".join(reasons[:5]) or "no reason given"


def _finished(client: Any, stack: str) -> set[str]:
    """Resources that the running update is through with."""
    return {
        str(event["LogicalResourceId"])
        for event in _events_of_update(client, stack)
        if str(event.get("ResourceStatus", "")).endswith("_COMPLETE")
        and event["LogicalResourceId"] != stack
    }


def _events_of_update(client: Any, stack: str) -> Iterator[Mapping[str, Any]]:
    """Events of the latest update, the newest first, as far as one page holds them."""
    for event in client.describe_stack_events(StackName=stack)["StackEvents"]:
        if event["LogicalResourceId"] == stack and event["ResourceStatus"] == "UPDATE_IN_PROGRESS":
            return
        yield event


def stack_now(client: Any, name: str) -> dict[str, Any]:
    """The stack as it stands."""
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    return stack
