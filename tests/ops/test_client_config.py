"""What the Flutter app is told of a stack, and the check that it was told so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ops import client_config
from ops.__main__ import ops

API = "lwk0wf6rpl.execute-api.eu-west-1.amazonaws.com"
URL = f"wss://{API}/dev"
OUTPUTS: dict[str, Any] = {
    "sharedWebSocketApiId": "lwk0wf6rpl",
    "webSocketUrl": URL,
    "managementEndpoint": f"https://{API}/dev",
    "connectionsTable": "c",
    "subscriptionsTable": "s",
    "routes": ["PING"],
}


@pytest.fixture
def run(tmp_path: Path) -> Any:
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(OUTPUTS), encoding="utf-8")

    def invoke(*options: str) -> Result:
        return CliRunner().invoke(ops, ["client-config", "--outputs", str(outputs), *options])

    return invoke


def _check(run: Any, folder: Path, text: str | bytes) -> Result:
    file = folder / "defines"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return run("--check", str(file))


def test_the_contract_has_the_url_with_its_stage_the_messages_and_the_advice(run: Any) -> None:
    contract = json.loads(run().stdout)
    assert contract["webSocketUrl"] == URL
    assert contract["stage"] == "dev"
    assert contract["dartDefines"] == {"WEBSOCKET_URL": URL}
    assert contract["routes"] == ["PING"]
    assert {"reconnect", "heartbeat", "protocol"} <= set(contract)


def test_the_dart_define_can_be_pasted_behind_flutter_build(run: Any) -> None:
    assert run("--format", "dart-define").stdout == f"--dart-define=WEBSOCKET_URL={URL}\n"


def test_a_client_that_follows_the_advice_is_never_idle_for_ten_minutes_nor_cut_off() -> None:
    assert client_config.HEARTBEAT["everySeconds"] + 60 < 600
    assert max(client_config.RECONNECT["renewAfterMinutes"]) < 120


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"WEBSOCKET_URL": URL, "OTHER": 1}),
        f"# the shared API\nOTHER=1\n\nWEBSOCKET_URL={URL}\n",
        f'WEBSOCKET_URL = "{URL}"',
    ],
    ids=["json", "env", "quoted"],
)
def test_an_app_that_has_the_stacks_url_passes(run: Any, tmp_path: Path, text: str) -> None:
    result = _check(run, tmp_path, text)
    assert result.exit_code == 0, result.output
    assert "is the stack's URL" in result.output


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "is not set"),
        (f"wss://{API}", "without the stage /dev"),
        (f"wss://{API}/", "without the stage /dev"),
        (f"https://{API}/dev", "not where apps connect"),
        ("wss://pyc140yn0h.execute-api.eu-west-1.amazonaws.com/dev", "another API"),
        (f"wss://{API}/prod", f"is wss://{API}/prod,"),
    ],
)
def test_an_app_that_has_another_url_fails_with_what_is_wrong_with_it(
    run: Any, tmp_path: Path, given: str | None, said: str
) -> None:
    result = _check(run, tmp_path, json.dumps({"WEBSOCKET_URL": given} if given else {}))
    assert result.exit_code == 1
    assert said in result.stderr
    assert f"the stack's URL is {URL}" in result.stderr


@pytest.mark.parametrize("text", [b"\xff\xfe", "{", "no assignment", "[]"])
def test_defines_that_cannot_be_understood_could_not_be_checked(
    run: Any, tmp_path: Path, text: str | bytes
) -> None:
    result = _check(run, tmp_path, text)
    assert result.exit_code == 2
    assert "NAME=VALUE" in result.stderr


def test_defines_that_are_not_there_are_named(run: Any, tmp_path: Path) -> None:
    result = run("--check", str(tmp_path / "absent.json"))
    assert result.exit_code == 2
    assert "absent.json" in result.stderr


def test_a_schema_that_was_not_generated_is_told(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_config, "SCHEMA", tmp_path / "protocol.schema.json")
    result = run()
    assert result.exit_code == 2
    assert "make docs" in result.stderr
