"""What is known of a home's cloud between two commands: `cloud/cloud.json`."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.cloud.process import Process


@dataclass(frozen=True, kw_only=True)
class Record:
    """The cloud as it was last started. `pid` is nothing once it was stopped in order.

    The port outlives the process, so that URLs stay as they were after `down` and `up`.
    """

    port: int
    pid: int | None = None
    started: str | None = None
    endpoint: str = ""
    region: str = ""
    auth: bool = False
    log: str = ""

    @property
    def process(self) -> Process | None:
        """The process that was recorded; whether it lives is another question."""
        if self.pid is None or self.started is None:
            return None
        return Process(pid=self.pid, started=self.started)


def read(folder: Path) -> Record | None:
    """Return the record, or nothing when there is none or a crash left it unreadable."""
    try:
        found = json.loads(folder.joinpath("cloud.json").read_text())
        return Record(**found)
    except (OSError, ValueError, TypeError):
        return None


def write(folder: Path, record: Record) -> None:
    """Write the record in one step, so that no reader ever sees a half of it."""
    draft = folder / f"cloud.json.{os.getpid()}"
    draft.write_text(json.dumps(asdict(record), indent=2) + "\n")
    draft.replace(folder / "cloud.json")
