"""What `sandbox.pulumi_cli` does around the CLI when somebody breaks off; a script is the CLI."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.pulumi_cli import PulumiCli
from sandbox.stack import Stack

CLI = """\
#!{python}
import pathlib, signal, sys, time

here = pathlib.Path({here!r})
if sys.argv[1] == "stack":
    print("{{}}")
if sys.argv[1] == "up":
    signal.signal(signal.SIGINT, lambda *_: (here / "interrupted").touch())
    (here / "begun").touch()
    while not (here / "go").exists():
        time.sleep(0.01)
    (here / "ended").touch()
"""

UP = """\
import pathlib, sys
from sandbox.pulumi_cli import PulumiCli
from sandbox.stack import Request, Stack

here = pathlib.Path(sys.argv[1])
stack = Stack(name="trial", cwd=here, home=here / "home")
PulumiCli(lambda home: None).up(stack, Request(quiet=True))
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A project, and a CLI that says when it was begun, interrupted and ended."""
    tmp_path.joinpath("Pulumi.yaml").write_text("name: trial\nruntime: python\n")
    tmp_path.joinpath("home").mkdir()
    tool = tmp_path / "bin" / "pulumi"
    tool.parent.mkdir()
    tool.write_text(CLI.format(python=sys.executable, here=str(tmp_path)))
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def until_there(file: Path):
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline, f"no {file.name}"
        time.sleep(0.01)


def test_ctrl_c_waits_for_the_cli_to_end_its_work(here):
    process = subprocess.Popen(
        [sys.executable, "-c", UP, str(here)], start_new_session=True, stderr=subprocess.PIPE
    )
    until_there(here / "begun")
    os.killpg(process.pid, signal.SIGINT)
    until_there(here / "interrupted")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    (here / "go").touch()
    assert b"KeyboardInterrupt" in process.communicate()[1]
    assert (here / "ended").exists()


def test_the_lock_of_a_killed_cli_is_taken_away_and_that_of_a_living_one_kept(here):
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    locks = here / "home/backend/.pulumi/locks/organization/trial/trial"
    locks.mkdir(parents=True)
    for name, pid in (("killed", killed.pid), ("living", os.getpid())):
        locks.joinpath(f"{name}.json").write_text(json.dumps({"pid": pid}))
    locks.joinpath("written-just-now.json").touch()
    stack = Stack(name="trial", cwd=here, home=here / "home")
    PulumiCli(lambda home: None).export(stack)
    assert {lock.stem for lock in locks.iterdir()} == {"living", "written-just-now"}
