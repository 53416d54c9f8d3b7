"""How a refusal looks: an ERROR with its code, and not a row changed."""

from typing import Any

from tests.gateway.backend import Backend
from tests.gateway.devices import Device, Message


def refuse(backend: Backend, device: Device, code: str, action: str, **fields: Any) -> Message:
    """Send a message that has to be refused with this code and to change nothing."""
    before = backend.tables.snapshot()
    answer = device.ask(action, **fields)
    assert (answer.get("type"), answer.get("code")) == ("ERROR", code), answer
    assert (answer["action"], answer["originalType"]) == ("error", action)
    assert backend.tables.snapshot() == before
    assert backend.queue.peek() == []
    return answer


def refuse_raw(backend: Backend, device: Device, code: str, body: str) -> Message:
    """The same for a text that need not be JSON; nothing else may be under way on the socket."""
    before = backend.tables.snapshot()
    seen = len(device.inbox)
    device.send_raw(body)
    device.wait_raw(seen + 1)
    answer = device.inbox[seen]
    assert (answer.get("type"), answer.get("code")) == ("ERROR", code), answer
    assert backend.tables.snapshot() == before
    return answer
