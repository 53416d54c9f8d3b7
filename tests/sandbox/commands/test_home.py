"""Two commands at once: one works, the other says who does, and nobody hangs."""

import subprocess
import sys
import threading

import pytest

from sandbox import home as homes
from sandbox.home import HomeInUseError, alone, clear, together

HOLD = (
    "import sys, pathlib\n"
    "from sandbox import home\n"
    "with getattr(home, sys.argv[2])(pathlib.Path(sys.argv[1]), *sys.argv[3:]):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


@pytest.fixture
def hold(tmp_path):
    """Have another process hold the home in one way or the other."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout.readline() == b"held\n"
        return process

    yield start
    for process in started:
        process.communicate()


def test_a_second_command_names_the_first_and_its_process(tmp_path, hold):
    other = hold("alone", "up")
    with pytest.raises(HomeInUseError) as raised, alone(tmp_path, "down"):
        pass
    assert f"`up` (process {other.pid}" in str(raised.value)
    assert "wait for it to end" in raised.value.way_out


def test_a_command_that_was_killed_holds_nothing(tmp_path, hold):
    other = hold("alone", "up")
    other.kill()
    other.wait()
    with alone(tmp_path, "down"):
        pass


def test_those_who_only_use_it_do_so_together(tmp_path, hold):
    hold("together")
    with together(tmp_path):
        pass


def test_a_command_waits_for_those_who_only_use_it_and_says_so(tmp_path, hold, capsys):
    other = hold("together")
    entered = threading.Event()

    def work():
        with alone(tmp_path, "down"):
            entered.set()

    worker = threading.Thread(target=work)
    worker.start()
    assert not entered.wait(0.2)
    other.communicate()
    assert entered.wait(20)
    worker.join()
    assert "waiting for another command" in capsys.readouterr().err


def test_waiting_comes_to_an_end(tmp_path, hold, monkeypatch):
    hold("alone", "up")
    monkeypatch.setattr(homes, "_PATIENCE", 0.1)
    with pytest.raises(HomeInUseError, match="`up`"), together(tmp_path):
        pass


def test_clearing_keeps_the_port_and_the_lock(tmp_path):
    for name in ("platform.json", "cloud/services/sqs.json", "state/a.json", "cloud/cloud.json"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    with alone(tmp_path, "down"):
        clear(tmp_path)
    left = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert left == ["cloud/cloud.json", "lock"]


def test_the_home_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path / "elsewhere"))
    assert homes.home() == tmp_path / "elsewhere"
    monkeypatch.delenv("SANDBOX_HOME")
    assert homes.home() == homes.ROOT / ".sandbox"
