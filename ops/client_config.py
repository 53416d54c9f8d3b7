"""`python -m ops client-config`: what the Flutter app needs of a stack, and a check of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import click

from ops.deployed import Deployed, stack_options
from ops.errors import OperatorError

SCHEMA = Path(__file__).resolve().parent.parent / "docs" / "protocol.schema.json"
URL_DEFINE = "WEBSOCKET_URL"
"""The dart-define by which the merchant app is given its URL."""

RECONNECT: dict[str, Any] = {
    "firstDelayMs": 1000,
    "factor": 2.0,
    "maxDelayMs": 60000,
    "jitter": "full",
    "attempts": None,
    "renewAfterMinutes": [90, 115],
    "why": "API Gateway ends a connection after 2 hours: renew at a random minute before it, so "
    "that connections opened together do not end together.",
}
HEARTBEAT: dict[str, Any] = {
    "everySeconds": 300,
    "answerWithinSeconds": 10,
    "why": "API Gateway ends a connection that is idle for 10 minutes. Every heartbeat is billed "
    "as two messages, so a shorter period costs without need.",
}


@click.command("client-config")
@stack_options
@click.option(
    "--format",
    "style",
    type=click.Choice(["json", "dart-define"]),
    default="json",
    show_default=True,
    help="The whole contract, or just the arguments of flutter build.",
)
@click.option(
    "--check",
    metavar="FILE",
    help="A --dart-define-from-file JSON of the app: fail unless its URL is the stack's.",
)
def client_config(deployed: Deployed, style: str, check: str | None) -> None:
    """Print the WebSocket URL and the client's contract of a deployed stack."""
    if check is not None:
        _compare(deployed, check)
        return
    if style == "dart-define":
        click.echo(f"--dart-define={URL_DEFINE}={deployed.url}")
        return
    click.echo(json.dumps(contract(deployed), indent=2))


def contract(deployed: Deployed) -> dict[str, Any]:
    """The URL with its stage, the messages of both directions, the error codes and the advice."""
    try:
        schema = cast("dict[str, Any]", json.loads(SCHEMA.read_text(encoding="utf-8")))
    except OSError as error:
        raise OperatorError(
            f"the protocol's schema is not at docs/{SCHEMA.name}: run make docs"
        ) from error
    return {
        "webSocketUrl": deployed.url,
        "stage": deployed.stage,
        "routes": list(deployed.routes),
        "dartDefines": {URL_DEFINE: deployed.url},
        "reconnect": RECONNECT,
        "heartbeat": HEARTBEAT,
        "protocol": schema,
    }


def _compare(deployed: Deployed, name: str) -> None:
    try:
        document = cast("object", json.loads(Path(name).read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError) as error:
        raise OperatorError(f"cannot read the app's defines in {name}: {error}") from error
    defines = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    given = defines.get(URL_DEFINE)
    if given == deployed.url:
        click.echo(f"{name}: {URL_DEFINE} is the stack's URL")
        return
    reason = f"is {given}" if given else "is not set"
    raise click.ClickException(f"{name}: {URL_DEFINE} {reason}, the stack's URL is {deployed.url}")
