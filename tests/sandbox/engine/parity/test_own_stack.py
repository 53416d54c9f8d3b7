"""This project's own stack on both engines: one plan, the same steps, and either goes on."""

import os
import shutil
import subprocess
import sys

import pytest
from harness import ROOT

from sandbox import cloud as clouds
from sandbox.commands.target import own_stack
from sandbox.engine import BuiltinEngine
from sandbox.pulumi_cli import PulumiCli
from sandbox.stack import Op, Request

pytestmark = [
    pytest.mark.cli,
    pytest.mark.cloud,
    pytest.mark.skipif(
        shutil.which("pulumi") is None,
        reason="the Pulumi CLI is not on PATH: the two engines are not compared on our stack",
    ),
    pytest.mark.timeout(900),
]


def sandbox(home, *arguments):
    subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT,
        env={**os.environ, "SANDBOX_HOME": str(home)},
        check=True,
        stdout=subprocess.DEVNULL,
    )


@pytest.fixture
def deployed(tmp_path, monkeypatch):
    """Our stack, deployed by the built-in engine into a sandbox of its own."""
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    sandbox(tmp_path, "up", "--yes", "--engine", "builtin")
    try:
        yield own_stack(tmp_path, clouds.connect(tmp_path))
    finally:
        sandbox(tmp_path, "down", "--yes")


def lines(result):
    kept = (step for step in result.steps if not step.name.startswith("default"))
    return sorted(f"{step.op} {step.urn} {','.join(step.changed)}" for step in kept)


def test_both_engines_plan_and_deploy_our_stack_alike(deployed):
    builtin, cli = BuiltinEngine(), PulumiCli()
    request = Request(quiet=True, policy_packs=(ROOT / "policies",))
    cli.import_(deployed, builtin.export(deployed))
    untouched = cli.preview(deployed, request)
    assert untouched.ok, untouched.diagnostics
    assert {step.op for step in untouched.steps} == {Op.SAME}
    assert lines(builtin.preview(deployed, request)) == lines(untouched)

    assert builtin.destroy(deployed, Request(quiet=True)).ok
    planned = builtin.preview(deployed, request)
    done = builtin.up(deployed, request)
    assert builtin.destroy(deployed, Request(quiet=True)).ok
    # Nothing is left in the cloud; the CLI begins with a state as empty.
    cli.import_(deployed, builtin.export(deployed))
    assert lines(cli.preview(deployed, request)) == lines(planned)
    assert lines(cli.up(deployed, request)) == lines(done)
    assert cli.destroy(deployed, Request(quiet=True)).ok
