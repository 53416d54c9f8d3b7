"""What `make` does around an environment that is not there, half there, or being made right now."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from sandbox.home import ROOT

PIP = """\
import os, pathlib, time

os.mkdir("at-work")
while not pathlib.Path("go").exists():
    time.sleep(0.01)
os.rmdir("at-work")
"""


@pytest.fixture
def make(tmp_path):
    """Start `make` beside a half-made environment, whose `pip` waits for a file `go`."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    tmp_path.joinpath("requirements.txt").touch()
    tmp_path.joinpath("pip.py").write_text(PIP)
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    tools.joinpath("python").symlink_to(sys.executable)
    tools.joinpath("pip").touch()
    started = []

    def start(target):
        process = subprocess.Popen(
            ["make", "--no-print-directory", target],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    tmp_path.joinpath("go").touch()
    for process in started:
        process.wait()


def until_at_work(folder):
    deadline = time.monotonic() + 60
    while not folder.joinpath("at-work").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("target", ["status", "outputs", "verify", "down"])
def test_a_half_made_environment_counts_as_none(make, target):
    said, _ = make(target).communicate()
    assert f"make {target}: nothing is set up here" in said
    assert "Traceback" not in said


def test_ctrl_c_during_the_installation_is_not_taken_for_a_failed_one(make, tmp_path):
    process = make(".venv/.ready-run")
    until_at_work(tmp_path)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate()
    assert "Traceback" not in said
    assert "could not install" not in said
    assert process.returncode != 0
    assert not tmp_path.joinpath(".venv/.ready-run").exists()


def test_two_installations_at_once_wait_for_each_other(make, tmp_path):
    both = [make(".venv/.ready-run"), make(".venv/.ready-run")]
    until_at_work(tmp_path)
    with pytest.raises(subprocess.TimeoutExpired):
        both[0].wait(0.5)
    tmp_path.joinpath("go").touch()
    assert [process.communicate()[0].count("could not install") for process in both] == [0, 0]
    assert [process.returncode for process in both] == [0, 0]
