"""Verification that needs no deployed stack: who is asked for what, and who is found out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result
from websockets.sync.server import ServerConnection, serve

from ops.__main__ import ops
from ops.verify.people import subject


def _outputs(url: str, **more: Any) -> str:
    outputs = {
        "sharedWebSocketApiId": "api",
        "webSocketUrl": url,
        "managementEndpoint": "https://api.execute-api.us-east-1.amazonaws.com/dev",
        "connectionsTable": "c",
        "subscriptionsTable": "s",
    }
    return json.dumps({**outputs, **more})


def _verify(outputs: str, *options: str, **variables: str) -> Result:
    return CliRunner().invoke(
        ops, ["verify", "--outputs", "-", *options], input=outputs, env=variables
    )


@pytest.fixture
def agreeable() -> Iterator[str]:
    """A server that says PONG to whatever it is told."""

    def say_pong(socket: ServerConnection) -> None:
        for text in socket:
            message = json.loads(text) if text.startswith("{") else {}
            known = {"requestId": message["requestId"]} if "requestId" in message else {}
            socket.send(json.dumps({"type": "PONG", **known}))

    with serve(say_pong, "127.0.0.1", 0) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/dev"
        server.shutdown()
        thread.join()


def test_a_server_that_agrees_to_everything_is_found_out(agreeable: str) -> None:
    done = _verify(_outputs(agreeable), "--read-only", "--format", "json")
    outcomes = {step["name"]: step["outcome"] for step in json.loads(done.output)["steps"]}
    assert done.exit_code == 1
    assert outcomes == {
        "reach the API at its URL": "passed",
        "PING": "passed",
        "malformed messages are refused": "failed",
        "an oversized message is refused": "failed",
        "an unknown action is answered": "failed",
    }


@pytest.mark.parametrize(
    ("options", "variables", "named"),
    [
        ((), {}, "--canary BUSINESS_ID"),
        (("--canary", "b"), {}, "--other-business BUSINESS_ID"),
        (("--canary", "b", "--other-business", "o"), {}, "VERIFY_MERCHANT_TOKEN"),
        (("--canary", "b", "--other-business", "o", "--token-command", "false"), {}, "status 1"),
        (("--canary", "b", "--other-business", "o", "--token-command", "/none"), {}, "/none"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_tried(
    options: tuple[str, ...], variables: dict[str, str], named: str
) -> None:
    done = _verify(_outputs("ws://127.0.0.1:9/dev"), *options, **variables)
    assert done.exit_code == 2
    assert named in done.output


def test_a_token_command_is_asked_for_each_user_and_its_token_is_not_shown() -> None:
    command = f"{sys.executable} -c \"print('a-token-of-{{name}}')\""
    sandbox = {"endpoint": "http://127.0.0.1:9", "region": "us-east-1"}
    done = _verify(
        _outputs("ws://127.0.0.1:9/dev", sandbox=sandbox),
        *("--canary", "b", "--other-business", "o", "--token-command", command),
    )
    assert done.exit_code == 1
    assert "reach the API" in done.output
    assert "a-token-of" not in done.output


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "a.e30.c"])
def test_a_token_that_cannot_be_read_names_nobody(token: str) -> None:
    assert subject(token) is None


def test_a_token_names_its_user() -> None:
    assert subject("e30.eyJzdWIiOiAidXNlci0xIn0.signature") == "user-1"
