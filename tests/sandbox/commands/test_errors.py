"""What the machine refuses is told in one line: the thing, the reason, the way out."""

import errno
import shutil
import sys
from types import SimpleNamespace

import click
import pytest

from sandbox import bring_up, commands
from sandbox.commands.target import agree
from sandbox.console import Console
from sandbox.errors import SandboxError


def ended(monkeypatch, capsys, *arguments):
    """Run a command that has to fail; return what it says."""
    monkeypatch.setattr(sys, "argv", ["sandbox", *arguments])
    with pytest.raises(SystemExit) as end:
        commands.main()
    assert end.value.code == 1
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["outputs"], ["logs"], ["down", "--yes"], ["preview"], ["token", "merchant1"]],
    ids=lambda arguments: arguments[0],
)
def test_a_home_that_is_a_file_is_named_by_every_command(monkeypatch, capsys, tmp_path, arguments):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("SANDBOX_HOME", str(file))
    said = ended(monkeypatch, capsys, *arguments)
    assert said.startswith(f"error: {file}")
    assert "SANDBOX_HOME" in said


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_by_the_folder_that_is_on_it(monkeypatch, capsys, tmp_path, number):
    @click.command("full")
    def full():
        raise OSError(number, "No space left on device")

    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    monkeypatch.setitem(commands.sandbox.commands, "full", full)
    assert ended(monkeypatch, capsys, "full") == (
        f"error: the disk of {tmp_path}: No space left on device; "
        "make room there and run it again: nothing is lost\n"
    )


def test_a_mistake_of_ours_keeps_its_traceback(monkeypatch):
    @click.command("broken")
    def broken():
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setitem(commands.sandbox.commands, "broken", broken)
    monkeypatch.setattr(sys, "argv", ["sandbox", "broken"])
    with pytest.raises(OSError, match="Bad file"):
        commands.main()


def test_a_disk_that_would_be_full_soon_is_refused_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(8, 1, 7 * 2**20))
    with pytest.raises(SandboxError, match=rf"the disk of {tmp_path}: it has 7 MB left.*make room"):
        bring_up.bring_up(tmp_path, Console())
    assert not tmp_path.joinpath("cloud").exists()


def test_a_no_is_not_taken_for_ctrl_c(monkeypatch, capsys):
    @click.command("asks")
    def asks():
        agree(False, "Deploy this?")

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(click, "confirm", lambda question, **_: False)
    monkeypatch.setitem(commands.sandbox.commands, "asks", asks)
    assert ended(monkeypatch, capsys, "asks") == "left as it is\n"
