"""The built-in engine takes the steps that the Pulumi CLI took, for every program in `programs`."""

import json

import pytest
from demo_provider import Demo
from harness import play, scenarios

from sandbox.engine import BuiltinEngine
from sandbox.engine.plugins import Plugin


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario.name)
def test_the_built_in_engine_takes_the_steps_that_the_cli_took(scenario, tmp_path):
    engine = BuiltinEngine({"demo": Plugin(servicer=lambda: Demo(tmp_path / "cloud"))})
    records = play(engine, scenario, tmp_path)
    assert records == json.loads(scenario.expected.read_text())
