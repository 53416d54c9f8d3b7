"""The cloud is killed in the middle of an up: the state stays true, and the next up goes on."""

import pytest
from engine_bench import QUIET, errors, ops

from sandbox import cloud as clouds
from sandbox.engine import BuiltinEngine
from sandbox.stack import Stack

pytestmark = pytest.mark.cloud

PROGRAM = """
import os, signal, time
from pathlib import Path
import pulumi
import pulumi_aws as aws

def die(url):
    kill = Path("kill")
    if kill.exists():
        pid = int(kill.read_text())
        kill.unlink()
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}/exe").exists():
            time.sleep(0.01)
    return "second"

first = aws.sqs.Queue("first", name="first")
aws.sqs.Queue("second", name=first.url.apply(die))
"""


def queues(cloud):
    found = cloud.client("sqs").list_queues().get("QueueUrls", [])
    return sorted(url.rsplit("/", 1)[-1] for url in found)


def test_a_cloud_that_dies_in_the_middle_of_an_up_is_named_and_the_next_up_goes_on(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: dying\nruntime: python\n")
    (project / "Pulumi.dev.yaml").write_text("config: {aws:region: us-east-1}\n")
    (project / "__main__.py").write_text(PROGRAM)
    engine = BuiltinEngine()
    home = tmp_path / "cloud"

    def stack(cloud):
        surroundings = cloud.environment()
        return Stack(name="dev", cwd=project, home=tmp_path, environment=surroundings)

    cloud = clouds.start(home, tied=True)
    try:
        (project / "kill").write_text(str(cloud.pid))
        result = engine.up(stack(cloud), QUIET)
        assert result.exit_code != 0
        assert any(d.urn.endswith("::second") for d in result.diagnostics), result.diagnostics
        assert cloud.endpoint in errors(result)
        assert "Traceback" not in errors(result)
        state = engine.export(stack(cloud))["deployment"]
        assert [r["urn"].split("::")[-1] for r in state["resources"]][2:] == ["first"]
        assert "pending_operations" not in state
    finally:
        cloud.stop()

    cloud = clouds.start(home, tied=True)
    try:
        assert cloud.lost, "the killed cloud kept everything: there is nothing to refresh"
        assert ops(engine.refresh(stack(cloud), QUIET)) == ["delete first"]
        result = engine.up(stack(cloud), QUIET)
        assert result.ok, errors(result)
        assert queues(cloud) == ["first", "second"]
        assert engine.preview(stack(cloud), QUIET).changes == ()
    finally:
        cloud.stop()
