"""The state stays true whatever happens: kills, hangs, Ctrl-C, a full disk, a damaged file."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from engine_bench import PARITY, errors, ops

from sandbox.engine import BuiltinEngine, lock
from sandbox.engine.checkpoint import StateFile
from sandbox.engine.plugins import Plugin
from sandbox.stack import EngineError, Request

ROOT = Path(__file__).parents[3]
FIRST = """
a = Thing("a", value="1")
Thing("b", kind=a.id)
Thing("old", value="1")
"""
SECOND = """
a = Thing("a", value="2", kind="new")
Thing("b", kind=a.id)
Thing("c", value=a.token)
"""

# Deploys the bench's program in a process that kills itself at the n-th write of the state,
# just before or just after the file is in place.
KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = [{root!r}, {parity!r}, {tests!r}]
from demo_provider import Demo
from sandbox.engine import BuiltinEngine
from sandbox.engine.checkpoint import StateFile
from sandbox.engine.plugins import Plugin
from sandbox.stack import Request, Stack

write, count = StateFile.write, 0

def dying(self, deployment):
    global count
    count += 1
    if count == {at} and {before}:
        os.kill(os.getpid(), signal.SIGKILL)
    write(self, deployment)
    if count == {at}:
        os.kill(os.getpid(), signal.SIGKILL)

StateFile.write = dying
folder = Path({folder!r})
stack = Stack(name="dev", cwd=folder / "project", home=folder / "home",
              environment={{"DEMO_CLOUD": str(folder / "cloud")}})
plugins = {{"demo": Plugin(servicer=lambda: Demo(folder / "cloud"))}}
sys.exit(BuiltinEngine(plugins).up(stack, Request(quiet=True)).exit_code)
"""


def killed_up(bench, at, before):
    names = {
        "root": str(ROOT),
        "parity": str(PARITY),
        "tests": str(Path(__file__).parent),
        "folder": str(bench.folder),
        "at": at,
        "before": before,
    }
    code = KILLED.format(**names)
    return subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_killed_at_every_write_of_the_state_the_next_up_continues(bench, before):
    at = 0
    while True:
        at += 1
        assert bench.up(FIRST).ok
        bench.program(SECOND)
        code = killed_up(bench, at, before)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        pending = json.loads(bench.state.read_text())["checkpoint"]["latest"]
        interrupted = {
            operation["resource"]["urn"].rsplit("::", 1)[-1]
            for operation in pending.get("pending_operations", [])
        }
        result = bench.up(SECOND)
        assert result.ok, errors(result)
        warned = "\n".join(d.message for d in result.diagnostics if d.severity == "warning")
        for name in interrupted:
            assert f"::{name}, interrupted while" in warned
        # Whatever is there twice was warned of.
        left = bench.things()
        for name in ("a", "b", "c"):
            left.remove(name)
        assert set(left) <= interrupted, f"{left} at write {at}, of which nobody was told"
        assert bench.preview(SECOND).changes == ()
        # A refresh lets go of what was broken off, and everything begins anew.
        bench.engine.refresh(bench.stack, Request(quiet=True))
        bench.engine.destroy(bench.stack, Request(quiet=True))
        for file in bench.cloud.glob("*.json"):
            file.unlink()
    assert at > 8, "the kills did not reach every step"


def test_a_provider_that_dies_in_the_middle_of_a_create_leaves_it_pending(bench):
    engine = BuiltinEngine({"demo": Plugin(module="demo_provider", path=PARITY)})
    bench.engine = engine
    (bench.cloud / "die").touch()
    result = bench.up('Thing("a", value="v")')
    assert result.exit_code != 0
    latest = json.loads(bench.state.read_text())["checkpoint"]["latest"]
    assert [op["type"] for op in latest["pending_operations"]] == ["creating"]
    (bench.cloud / "die").unlink()
    result = bench.up()
    assert result.ok
    assert "1 pending operations" in result.diagnostics[0].message
    assert bench.things() == ["a"]


def started(bench, operation="up", hang="create", **options):
    """Start an operation of which a call of the provider hangs, and wait until it does."""
    (bench.cloud / "hanging").unlink(missing_ok=True)
    (bench.cloud / "hang").write_text(hang)
    code = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}]\n"
        "from pathlib import Path\n"
        "from sandbox.engine import BuiltinEngine\n"
        "from sandbox.engine.plugins import Plugin\n"
        "from sandbox.stack import Request, Stack\n"
        f"folder = Path({str(bench.folder)!r})\n"
        "stack = Stack(name='dev', cwd=folder / 'project', home=folder / 'home',"
        " environment={'DEMO_CLOUD': str(folder / 'cloud')})\n"
        f"plugin = Plugin(module='demo_provider', path=Path({str(PARITY)!r}))\n"
        "engine = BuiltinEngine({'demo': plugin})\n"
        f"request = Request(quiet=True, **{options!r})\n"
        f"sys.exit(engine.{operation}(stack, request).exit_code)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (bench.cloud / "hanging").exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, f"the {hang} never began"
        time.sleep(0.02)
    return process


def pending(bench):
    latest = json.loads(bench.state.read_text())["checkpoint"]["latest"]
    return [
        f"{operation['type']} {operation['resource']['urn'].rsplit('::', 1)[-1]}"
        for operation in latest.get("pending_operations", [])
    ]


@pytest.mark.parametrize(
    ("call", "program", "said", "continued"),
    [
        ("create", 'Thing("a", value="1")\nThing("b", value="1")', "creating b", ["create b"]),
        ("update", 'Thing("a", value="2")', "updating a", ["update a"]),
        ("delete", "", "deleting a", ["delete a"]),
    ],
)
def test_killed_inside_a_provider_call_the_next_up_continues(bench, call, program, said, continued):
    assert bench.up('Thing("a", value="1")').ok
    bench.program(program)
    process = started(bench, hang=call)
    process.kill()
    process.wait()
    (bench.cloud / "hang").unlink()
    assert pending(bench) == [said]
    result = bench.up()
    assert result.ok, errors(result)
    kind, name = said.split()
    assert f"::{name}, interrupted while {kind}" in result.diagnostics[0].message
    assert ops(result) == continued
    assert bench.preview().changes == ()
    assert pending(bench) == ([said] if call == "create" else [])


def test_killed_inside_the_create_of_a_replacement_the_old_one_is_still_known(bench):
    assert bench.up('Thing("a", kind="one")').ok
    bench.program('Thing("a", kind="two")')
    process = started(bench)
    process.kill()
    process.wait()
    (bench.cloud / "hang").unlink()
    result = bench.up()
    assert result.ok, errors(result)
    assert ops(result) == ["create-replacement a", "replace a", "delete-replaced a"]
    assert bench.things() == ["a"]


def test_killed_in_a_destroy_the_next_one_continues(bench):
    assert bench.up('Thing("a", value="1")').ok
    process = started(bench, "destroy", hang="delete")
    process.kill()
    process.wait()
    (bench.cloud / "hang").unlink()
    result = bench.engine.destroy(bench.stack, Request(quiet=True))
    assert result.ok, errors(result)
    assert bench.things() == []
    assert "::a, interrupted while deleting" in result.diagnostics[0].message


def test_one_ctrl_c_lets_the_step_end_and_begins_no_other(bench):
    bench.program('a = Thing("a", value="v")\nThing("b", value=a.id)')
    process = started(bench)
    process.send_signal(signal.SIGINT)
    assert "cancelling" in process.stderr.readline()
    (bench.cloud / "hang").unlink()
    assert process.wait(timeout=60) != 0
    assert bench.things() == ["a"]
    result = bench.up()
    assert ops(result) == ["create b"]
    assert not [d for d in result.diagnostics if "pending" in d.message]


def test_what_waits_for_its_turn_when_ctrl_c_comes_was_never_begun(bench):
    bench.program('for n in range(4):\n    Thing(f"t{n}", value="v")')
    process = started(bench, parallel=1)
    process.send_signal(signal.SIGINT)
    assert "cancelling" in process.stderr.readline()
    (bench.cloud / "hang").unlink()
    assert process.wait(timeout=60) != 0
    assert len(bench.things()) == 1
    assert pending(bench) == []


@pytest.mark.parametrize(("operation", "call"), [("up", "update"), ("destroy", "delete")])
def test_ctrl_c_lets_an_update_and_a_delete_end_too(bench, operation, call):
    assert bench.up('Thing("a", value="1")').ok
    bench.program('Thing("a", value="2")')
    process = started(bench, operation, hang=call)
    process.send_signal(signal.SIGINT)
    assert "cancelling" in process.stderr.readline()
    (bench.cloud / "hang").unlink()
    assert process.wait(timeout=60) != 0
    assert pending(bench) == []
    assert [op.split()[0] for op in ops(bench.up())] == {"up": [], "destroy": ["create"]}[operation]


def test_a_second_ctrl_c_ends_a_provider_that_hangs_and_says_what_is_unknown(bench):
    bench.program('Thing("a", value="v")')
    process = started(bench)
    process.send_signal(signal.SIGINT)
    assert "cancelling" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) != 0
    (bench.cloud / "hang").unlink()
    result = bench.up()
    assert result.ok
    assert "interrupted while creating" in result.diagnostics[0].message
    assert bench.things() == ["a"]


def test_a_killed_up_takes_its_children_along(bench):
    bench.program('Thing("a", value="v")')
    process = started(bench)
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    assert children
    process.kill()
    process.wait()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in children):
        assert time.monotonic() < deadline, f"{children} are still there"
        time.sleep(0.02)


def test_two_at_once_the_second_is_told_who_holds_the_lock(bench):
    with lock.held(bench.state.with_suffix(".lock"), "update"):
        assert f"process {os.getpid()} (update since" in bench.engine.cancel(bench.stack)
        result = bench.up('Thing("a", value="v")')
    assert result.exit_code != 0
    assert f"locked by process {os.getpid()} (update" in errors(result)
    assert bench.engine.cancel(bench.stack) == ""
    assert bench.up().ok


def test_two_processes_at_once_the_second_names_the_first_and_does_nothing(bench):
    bench.program('Thing("a", value="v")')
    process = started(bench)
    for operation in ("up", "refresh", "destroy"):
        result = getattr(bench.engine, operation)(bench.stack, Request(quiet=True))
        assert result.exit_code != 0
        assert f"locked by process {process.pid} (update since" in errors(result)
    with pytest.raises(EngineError, match=f"locked by process {process.pid}"):
        bench.engine.import_(bench.stack, {"version": 3, "deployment": {}})
    (bench.cloud / "hang").unlink()
    assert process.wait(timeout=60) == 0
    assert bench.things() == ["a"]
    assert bench.up().ok


def damaged(text, how):
    document = json.loads(text)
    latest = document["checkpoint"]["latest"]
    if how == "truncated":
        return text[: len(text) // 2]
    if how == "another version":
        document["version"] = 99
    elif how == "foreign":
        return '{"hello": ["world"]}'
    elif how == "no dependency":
        latest["resources"][-1]["dependencies"] = ["urn:pulumi:dev::bench::demo:index:Thing::no"]
    elif how == "twice":
        latest["resources"].append(latest["resources"][-1])
    elif how == "not a resource":
        latest["resources"][0] = {"urn": 3}
    elif how == "another cloud's secrets":
        latest["secrets_providers"] = {"type": "cloud", "state": {}}
    return json.dumps(document)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("truncated", "it is not a checkpoint"),
        ("another version", "it has version 99"),
        ("foreign", "it is not a checkpoint"),
        ("no dependency", "missing or comes after it"),
        ("twice", "is there twice"),
        ("not a resource", "not a Pulumi deployment"),
        ("another cloud's secrets", "encrypted by 'cloud'"),
    ],
)
def test_a_damaged_state_is_named_and_the_one_before_is_kept(bench, how, message):
    bench.up('Thing("a", value="1")')
    bench.up('Thing("a", value="2")')
    wrong = damaged(bench.state.read_text(), how)
    bench.state.write_text(wrong)
    for operation in (bench.preview, bench.up):
        result = operation('Thing("a", value="3")')
        assert result.exit_code != 0
        assert message in errors(result)
        assert str(bench.state) in errors(result)
        assert "dev.json.bak" in errors(result)
    assert bench.state.read_text() == wrong, "a damaged state was overwritten"
    kept = json.loads(bench.state.with_suffix(".json.bak").read_text())
    values = [r["inputs"]["value"] for r in kept["checkpoint"]["latest"]["resources"][2:]]
    assert values == ["1"]


@pytest.mark.parametrize("at_once", [True, False], ids=["at the copy", "at a step"])
def test_a_full_disk_is_named_and_the_last_state_stays(bench, monkeypatch, at_once):
    bench.up('Thing("a", value="1")')
    before = bench.state.read_text()
    write = Path.write_bytes

    def full(self, *arguments, **keywords):
        if self.suffix == ".tmp" and self.name.startswith("dev.json.") == at_once:
            raise OSError(28, "No space left on device")
        return write(self, *arguments, **keywords)

    monkeypatch.setattr(Path, "write_bytes", full)
    result = bench.up('Thing("a", value="2")\nThing("b", value="1")')
    assert result.exit_code != 0
    assert "No space left on device" in errors(result)
    assert bench.state.read_text() == before
    monkeypatch.undo()
    assert bench.up().ok
    assert bench.things() == ["a", "b"]


def test_a_disk_that_fills_up_at_any_write_loses_nothing_that_nobody_is_told_of(bench, monkeypatch):
    write = Path.write_bytes
    at = 0
    while True:
        at += 1
        count = 0

        def filling(self, *arguments, at=at, **keywords):
            nonlocal count
            count += self.suffix == ".tmp"
            if count >= at and self.suffix == ".tmp":
                raise OSError(28, "No space left on device")
            return write(self, *arguments, **keywords)

        assert bench.up(FIRST).ok
        monkeypatch.setattr(Path, "write_bytes", filling)
        result = bench.up(SECOND)
        monkeypatch.undo()
        if result.ok:
            break
        assert "No space left on device" in errors(result)
        interrupted = {line.split()[1] for line in pending(bench)}
        assert bench.up(SECOND).ok
        left = bench.things()
        for name in ("a", "b", "c"):
            left.remove(name)
        assert set(left) <= interrupted, f"{left} at write {at}, of which nobody was told"
        bench.engine.refresh(bench.stack, Request(quiet=True))
        bench.engine.destroy(bench.stack, Request(quiet=True))
        for file in bench.cloud.glob("*.json"):
            file.unlink()
    assert at > 4, "the disk did not fill up at every step"


def test_a_state_file_is_never_half_written(bench, monkeypatch):
    bench.up('Thing("a", value="1")')
    seen = []
    write = StateFile.write

    def watched(self, deployment):
        seen.append(json.loads(self.path.read_text())["version"])
        write(self, deployment)

    monkeypatch.setattr(StateFile, "write", watched)
    bench.up('Thing("a", value="2")\nThing("b", value="1")')
    assert seen
