"""The program as people run it, in front of a cloud that has nothing: one list, no traceback."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from sandbox.cloud import Cloud
from sandbox.engine import BuiltinEngine
from sandbox.stack import Request, Stack
from tests.components.recording import ROOT

pytestmark = pytest.mark.cloud

CONFIGURATION = """
config:
  aws:region: us-east-1
  order-receiver:sharedApiId: absent
  order-receiver:businessesTable: Absent_businesses
  order-receiver:identityMode: authorizer
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the program, in which nothing has been built, and of which nothing is loaded."""
    for module in [*sys.modules]:
        if module.split(".")[0] in ("components", "lambdas"):
            monkeypatch.delitem(sys.modules, module)
    copy = tmp_path / "program"
    for room in ("components", "lambdas"):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("__main__.py", "Pulumi.yaml", "requirements-lambda.txt"):
        shutil.copy(ROOT / file, copy)
    return copy


def test_a_bare_cloud_is_refused_with_everything_that_it_lacks(
    cloud: Cloud, program: Path, tmp_path: Path
) -> None:
    file = tmp_path / "Pulumi.bare.yaml"
    file.write_text(CONFIGURATION)
    stack = Stack(
        name="bare",
        cwd=program,
        home=tmp_path,
        config_file=file,
        environment=cloud.environment(),
    )
    result = BuiltinEngine().preview(stack, Request(quiet=True))
    (error,) = [each.message for each in result.diagnostics if each.severity == "error"]
    assert not result.ok
    assert "Traceback" not in error
    for subject in (
        "shared API absent: does not exist",
        "connections table WizzUser_websocket_connections_bare: does not exist",
        "subscriptions table WizzUser_websocket_subscriptions_bare: does not exist",
        "businesses table Absent_businesses: does not exist",
        "Lambda package for python3.13-arm64: has not been built",
    ):
        assert subject in error
    assert "5 problems, nothing was created" in error
