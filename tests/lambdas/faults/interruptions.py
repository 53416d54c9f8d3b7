"""Runs one action again and again, each time ended at another of its AWS calls."""

from collections.abc import Callable, Iterator
from typing import Literal

from tests.gateway.backend import Backend
from tests.gateway.devices import Device, Message

Moment = Literal["before", "after"]

GIVEN_UP = "Internal server error"
"""What API Gateway tells a client whose Lambda died."""


def every_interruption(backend: Backend, act: Callable[[], object]) -> Iterator[tuple[int, Moment]]:
    """Run `act` undisturbed to count its calls, then give every place where it can end."""
    with backend.calls.counting() as calls:
        act()
    assert calls, "the action made no call: there is nothing to interrupt"
    for number in range(len(calls)):
        yield number, "before"
        yield number, "after"


def interrupt(backend: Backend, number: int, moment: Moment, act: Callable[[], object]) -> None:
    """Run `act` and end the Lambda at this call; everything works again afterwards."""
    with backend.calls.counting():
        if moment == "before":
            backend.calls.die_before = number
        else:
            backend.calls.die_after = number
        try:
            act()
        finally:
            backend.calls.heal()


def ask_until_served(device: Device, action: str, **fields: object) -> Message:
    """What a client does whose request got lost: send it once more, a few times."""
    for _ in range(5):
        answer = device.ask(action, **fields)
        if answer.get("code") not in ("unavailable", "conflict"):
            return answer
    raise AssertionError(f"never served: {answer}")


def ask_in_vain(device: Device, action: str, **fields: object) -> None:
    """Send a request whose Lambda dies."""
    seen = len(device.inbox)
    device.send(action, **fields)
    device.wait_raw(seen + 1)
    assert device.inbox[seen].get("message") == GIVEN_UP, device.inbox[seen]
