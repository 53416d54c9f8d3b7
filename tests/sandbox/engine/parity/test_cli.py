"""With the CLI on PATH: it takes the steps on file, and goes on from this engine's states."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import time

import pytest
from demo_provider import Demo
from harness import HERE, install_demo, line_of, play, request_of, scenarios, stack_of

from sandbox.engine import BuiltinEngine
from sandbox.engine.plugins import Plugin
from sandbox.pulumi_cli import PulumiCli
from sandbox.stack import Op

pytestmark = [
    pytest.mark.cli,
    pytest.mark.skipif(
        shutil.which("pulumi") is None,
        reason="the Pulumi CLI is not on PATH: the two engines are not compared",
    ),
    # The CLI takes seconds for each operation.
    pytest.mark.timeout(600),
]


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
def test_the_cli_takes_the_steps_on_file(scenario, tmp_path):
    records = play(PulumiCli(install_demo), scenario, tmp_path)
    assert records == json.loads(scenario.expected.read_text())


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
def test_the_cli_goes_on_from_the_state_of_the_built_in_engine(scenario, tmp_path):
    engine = BuiltinEngine({"demo": Plugin(servicer=lambda: Demo(tmp_path / "cloud"))})
    records = play(engine, scenario, tmp_path)
    stack, request = stack_of(scenario, tmp_path), request_of(scenario, "preview", 2)
    cli = PulumiCli(install_demo)
    cli.import_(stack, engine.export(stack))
    planned = {e.name: e.preview(stack, request) for e in (engine, cli)}
    lines = {
        name: sorted(
            line_of(step, "preview") for step in result.steps if not step.name.startswith("default")
        )
        for name, result in planned.items()
    }
    assert lines["pulumi"] == lines["builtin"]
    assert planned["pulumi"].ok == planned["builtin"].ok
    command = records[-1]["run"].split()[0]
    if records[-1]["succeeded"] and command == "up":
        assert {step.op for step in planned["pulumi"].steps} <= {Op.SAME, Op.READ, Op.DISCARD}


def descendants(pid):
    """Processes that a process started, and those that they started."""
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    return [each for child in found for each in (int(child), *descendants(int(child)))]


def up_killed_in_a_create(engine, stack, request, cloud):
    (cloud / "hanging").unlink(missing_ok=True)
    (cloud / "hang").write_text("create")
    process = multiprocessing.get_context("fork").Process(target=engine.up, args=(stack, request))
    process.start()
    deadline = time.monotonic() + 120
    while not (cloud / "hanging").exists():
        assert process.is_alive()
        assert time.monotonic() < deadline, "the create never began"
        time.sleep(0.05)
    for pid in (process.pid, *descendants(process.pid)):
        os.kill(pid, signal.SIGKILL)
    process.join()
    (cloud / "hang").unlink()


@pytest.mark.parametrize("name", ["builtin", "pulumi"])
def test_an_interrupted_create_is_told_in_the_same_words_until_a_refresh(name, tmp_path):
    scenario = next(each for each in scenarios() if each.name == "create_update_same")
    stack, request = stack_of(scenario, tmp_path), request_of(scenario, "up", 1)
    stack.config_file.write_text("config: {parity:step: 1}\n")
    plugin = Plugin(module="demo_provider", path=HERE)
    engine = BuiltinEngine({"demo": plugin}) if name == "builtin" else PulumiCli(install_demo)
    up_killed_in_a_create(engine, stack, request, tmp_path / "cloud")
    for told in (True, False):
        result = engine.up(stack, request)
        assert result.ok, result.diagnostics
        text = "\n".join(d.message for d in result.diagnostics if d.severity == "warning")
        for words in (
            "Attempting to deploy or update resources with",
            "pending operations from previous deployment.",
            "::a, interrupted while creating",
            "These resources are in an unknown state because the",
            "was interrupted while waiting for changes to these resources to complete.",
        ):
            assert (words in text) == told, text
        assert engine.refresh(stack, request).ok
