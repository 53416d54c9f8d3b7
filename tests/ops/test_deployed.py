"""Finding a deployed stack, and what an operator reads when it cannot be found or reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops.__main__ import ops
from ops.deployed import parse
from ops.errors import OperatorError

OUTPUTS: dict[str, Any] = {
    "sharedWebSocketApiId": "lwk0wf6rpl",
    "webSocketUrl": "wss://lwk0wf6rpl.execute-api.eu-west-1.amazonaws.com/dev",
    "managementEndpoint": "https://lwk0wf6rpl.execute-api.eu-west-1.amazonaws.com/dev",
    "connectionsTable": "c",
    "subscriptionsTable": "s",
}


def _run(*arguments: str, **variables: str) -> Result:
    return CliRunner().invoke(ops, arguments, env=variables)


def test_stage_and_region_come_from_the_urls() -> None:
    deployed = parse(OUTPUTS)
    assert deployed.stage == "dev"
    assert deployed.place.region == "eu-west-1"


def test_every_missing_output_is_named() -> None:
    with pytest.raises(OperatorError, match=r"webSocketUrl, connectionsTable"):
        parse(OUTPUTS | {"webSocketUrl": None, "connectionsTable": 3})


def test_without_a_stack_or_outputs_the_two_ways_are_named() -> None:
    result = _run("status")
    assert result.exit_code == 2
    assert "--stack" in result.output
    assert "--outputs" in result.output


def test_without_the_cli_the_other_way_is_named(tmp_path: Path) -> None:
    result = _run("status", "--stack", "dev", PATH=str(tmp_path))
    assert result.exit_code == 2
    assert "--outputs FILE" in result.output


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = _run("status", "--outputs", str(tmp_path / "absent.json"))
    assert result.exit_code == 2
    assert "absent.json" in result.output


def test_a_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text("{", encoding="utf-8")
    result = _run("status", "--outputs", str(file))
    assert result.exit_code == 2
    assert "outputs.json are not JSON" in result.output
