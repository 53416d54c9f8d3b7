"""`python -m ops client-config`: what the Flutter app needs of a stack, and a check of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

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
    help="The app's --dart-define-from-file (.json or .env): fail unless its URL is the stack's.",
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
    defines = _defines(name)
    given = defines.get(URL_DEFINE)
    if given == deployed.url:
        click.echo(f"{name}: {URL_DEFINE} is the stack's URL")
        return
    reason = f"is {given}{_hint(given, deployed)}" if given else "is not set"
    raise click.ClickException(f"{name}: {URL_DEFINE} {reason}, the stack's URL is {deployed.url}")


def _hint(given: object, deployed: Deployed) -> str:
    """What is wrong with a URL, where that is one of the usual mistakes."""
    url = str(given)
    if url.rstrip("/") == deployed.url.removesuffix(f"/{deployed.stage}"):
        return f", without the stage /{deployed.stage}: the gateway answers 403 to that"
    if url == deployed.management_endpoint:
        return ", where the Lambdas post to connections, not where apps connect"
    if urlsplit(url).hostname != urlsplit(deployed.url).hostname:
        return ", another API"
    return ""


def _defines(name: str) -> dict[str, Any]:
    """What a --dart-define-from-file holds: a JSON object, or lines of NAME=VALUE.

    Raises OperatorError where it cannot be read.
    """
    try:
        text = Path(name).read_text(encoding="utf-8")
        if not text.lstrip().startswith("{"):
            return dict(_assignment(line) for line in text.splitlines() if _says_something(line))
        return cast("dict[str, Any]", json.loads(text))
    except OSError as error:
        raise OperatorError(f"cannot read the app's defines in {name}: {error.strerror}") from error
    except ValueError as error:
        raise OperatorError(
            f"the app's defines in {name} are neither a JSON object nor lines of NAME=VALUE: "
            f"{error}"
        ) from error


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _assignment(line: str) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    if not equals:
        raise ValueError(line)
    return name.strip(), value.strip().strip("\"'")
