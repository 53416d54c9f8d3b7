"""What `sandbox.pulumi_cli` does around the CLI when somebody breaks off; a script is the CLI."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from sandbox.pulumi_cli import PulumiCli
from sandbox.stack import EngineError, Stack

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


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def imported(engine, stack):
    with suppress(EngineError):
        engine.import_(stack, {})
        return True
    return False


def test_ctrl_c_waits_for_the_cli_to_end_its_work(here):
    process = subprocess.Popen(
        [sys.executable, "-c", UP, str(here)], start_new_session=True, stderr=subprocess.PIPE
    )
    until((here / "begun").exists)
    os.killpg(process.pid, signal.SIGINT)
    until((here / "interrupted").exists)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    (here / "go").touch()
    assert b"KeyboardInterrupt" in process.communicate()[1]
    assert (here / "ended").exists()


def test_what_a_killed_cli_locked_is_open_again_and_what_a_living_one_locked_is_not(here):
    locks = here / "home/backend/.pulumi/locks/organization/trial/trial"
    locks.mkdir(parents=True)
    process = subprocess.Popen([sys.executable, "-c", UP, str(here)], start_new_session=True)
    until((here / "begun").exists)
    locks.joinpath("of-the-cli.json").touch()
    process.kill()  # and not the CLI, which goes on
    process.wait()
    engine, stack = PulumiCli(lambda home: None), Stack(name="trial", cwd=here, home=here / "home")
    with pytest.raises(EngineError, match="at work"):
        engine.import_(stack, {})
    assert list(locks.iterdir()) != []
    os.killpg(process.pid, signal.SIGKILL)
    until(lambda: imported(engine, stack))
    assert list(locks.iterdir()) == []
