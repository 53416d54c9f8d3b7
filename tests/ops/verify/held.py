"""The websocket Lambda made to stop at one of its transactions, until it is let go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.cloud import Cloud
from tests.gateway.emulated import our_package
from tests.ops.verify.stack import until

_FUNCTION = "emulated-websocket"
_HANDLER = """
import time
from pathlib import Path

from lambdas import tables, websocket

FOLDER, commit = Path({folder!r}), tables.commit


def held(writes):
    when, _, part = (FOLDER / "where").read_text().partition(" ")
    here = part and any(part in write.key for write in writes)
    if here and when == "before":
        stop()
    try:
        commit(writes)
    finally:
        if here:
            (FOLDER / "tried").touch()
    if here and when == "after":
        stop()


def stop():
    (FOLDER / "stopped").touch()
    while not (FOLDER / "gone on").exists():
        time.sleep(0.02)


tables.commit = held
handler = websocket.handler
"""


@dataclass(frozen=True, kw_only=True)
class Held:
    """Says where the Lambda stops, whether it has, and when it goes on."""

    folder: Path

    def deploy(self, cloud: Cloud) -> None:
        (self.folder / "where").touch()
        code = our_package({"held.py": _HANDLER.format(folder=str(self.folder))})
        client = cloud.client("lambda")
        client.update_function_code(FunctionName=_FUNCTION, ZipFile=code)
        client.get_waiter("function_updated_v2").wait(
            FunctionName=_FUNCTION, WaiterConfig={"Delay": 0.1}
        )
        client.update_function_configuration(FunctionName=_FUNCTION, Handler="held.handler")
        client.get_waiter("function_updated_v2").wait(
            FunctionName=_FUNCTION, WaiterConfig={"Delay": 0.1}
        )

    def stop(self, when: Literal["before", "after"], part: str) -> None:
        """Stop at a transaction that writes a row with this in its id."""
        (self.folder / "where").write_text(f"{when} {part}")

    def stopped(self) -> bool:
        """Wait until it has stopped there."""
        return self._comes("stopped")

    def tried(self) -> bool:
        """Wait until the transaction was tried, whether it was done or refused."""
        return self._comes("tried")

    def _comes(self, name: str) -> bool:
        until((self.folder / name).exists)
        return (self.folder / name).exists()

    def let_go(self) -> None:
        """Let it go on."""
        (self.folder / "gone on").touch()
