"""The main job once more, by the Pulumi CLI where there is one."""

import json
import shutil

import pytest

pytestmark = [
    pytest.mark.cli,
    pytest.mark.xdist_group("end-to-end"),
    pytest.mark.skipif(not shutil.which("pulumi"), reason="there is no `pulumi` on PATH"),
]


def test_the_cli_deploys_proves_finds_nothing_to_do_and_destroys(clone):
    done = clone.make("up", ENGINE="pulumi")
    assert done.returncode == 0
    assert "heartbeat_response" in done.stdout
    outputs = clone.make("outputs", ENGINE="pulumi")
    assert json.loads(outputs.stdout)["webSocketUrl"].startswith("ws://127.0.0.1:")

    refused = clone.make("preview", ENGINE="builtin")
    assert refused.returncode != 0
    assert "the stack was deployed by pulumi; run first: make down" in refused.stderr

    again = clone.sandbox("preview", "--json", ENGINE="pulumi")
    assert again.returncode == 0
    assert {step["op"] for step in json.loads(again.stdout)["steps"]} == {"same"}
    assert clone.make("down", ENGINE="pulumi").returncode == 0
    assert clone.processes() == []
