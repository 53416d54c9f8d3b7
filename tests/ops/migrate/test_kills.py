"""A run that is killed outright, at every boundary and between: status shows it, it goes on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.__main__ import ops
from ops.migrate import command
from ops.migrate.migration import Migration
from ops.migrate.plan import STEPS
from sandbox.cloud import Cloud
from sandbox.home import ROOT

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("migration")]

APPLY = """
from ops.__main__ import ops
from ops.migrate import command
command.passes = lambda *_, **__: True
ops(prog_name="ops")
"""


def _ops(step: str, outputs: Path, stack: str, *options: str) -> Result:
    arguments = ["migrate", step, "--outputs", str(outputs), "--legacy-stack", stack, *options]
    return CliRunner().invoke(ops, arguments)


def _kill_at(line: str, outputs: Path, stack: str, folder: Path) -> None:
    """Run `migrate apply` until it prints such a line, and kill it there."""
    options = ("--outputs", str(outputs), "--legacy-stack", stack, "--backup-dir", str(folder))
    with subprocess.Popen(
        [sys.executable, "-u", "-c", APPLY, "migrate", "apply", *options, "--yes"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert any(re.match(line, said) for said in process.stdout), f"it never said {line}"
        process.kill()


@pytest.mark.parametrize(
    ("line", "doing"),
    [
        (r"1\. backup$", "backup"),
        ("  saved to", "backup"),
        (r"2\. publish$", "publish"),
        (r"3\. announce$", "announce"),
        ("  Modify", "announce"),
        ("  resources updated", "announce"),
        (r"4\. drain$", "drain"),
        (r"5\. retire$", "retire"),
        ("  Remove", "retire"),
        (r"6\. confirm$", "confirm"),
    ],
)
def test_a_killed_run_is_shown_and_another_goes_on(
    cloud: Cloud,
    migration: Migration,
    outputs_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    doing: str,
) -> None:
    stack = migration.stack
    monkeypatch.setattr(command, "passes", lambda *_, **__: True)
    _kill_at(line, outputs_file, stack, tmp_path)
    status = json.loads(_ops("status", outputs_file, stack, "--json").stdout)
    steps = (doing, STEPS[min(STEPS.index(doing) + 1, len(STEPS) - 1)])
    assert status["journal"]["doing"] in {*steps, ""}
    assert set(status["journal"]["done"]) >= set(STEPS[: STEPS.index(doing)])
    assert status["heldBy"]
    refused = _ops("apply", outputs_file, stack)
    assert refused.exit_code == 2
    assert f"is held by {status['heldBy']}" in refused.output
    assert _ops("apply", outputs_file, stack, "--take-over").exit_code == 0
    resources = cloud.client("cloudformation").describe_stack_resources(StackName=stack)
    kinds = {resource["ResourceType"] for resource in resources["StackResources"]}
    assert not [kind for kind in kinds if "ApiGatewayV2" in kind or "DynamoDB" in kind]
    after = json.loads(_ops("status", outputs_file, stack, "--json").stdout)
    assert (after["heldBy"], after["pendingChangeSets"]) == (None, [])
    assert list(after["journal"]["done"]) == list(STEPS)
