"""With the CLI on PATH: it takes the steps on file, and goes on from this engine's states."""

import json
import shutil

import pytest
from demo_provider import Demo
from harness import install_demo, line_of, play, request_of, scenarios, stack_of

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
