"""The deployed stack as its outputs describe it, and how a command is given it."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import click

from ops import access
from ops.errors import OperatorError

_NEEDED = (
    "sharedWebSocketApiId",
    "webSocketUrl",
    "managementEndpoint",
    "connectionsTable",
    "subscriptionsTable",
)
_ENDPOINT = re.compile(r"https://[^./]+\.execute-api\.(?P<region>[a-z0-9-]+)\.")
_QUEUE = re.compile(r"https://[^/]+/(?P<account>\d{12})/")
_ROOT = Path(__file__).resolve().parents[1]
"""Where the Pulumi program is that the CLI is asked about."""


@dataclass(frozen=True, kw_only=True)
class SandboxAccess:
    """Where the sandbox's cloud listens and who its users are; absent on an account."""

    endpoint: str
    region: str
    users: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A stack's outputs, as `pulumi stack output --json` or `make outputs` print them."""

    api_id: str
    url: str
    """The wss URL, stage included."""
    management_endpoint: str
    connections_table: str
    subscriptions_table: str
    routes: tuple[str, ...]
    functions: Mapping[str, str]
    """Entry point -> function name."""
    fanout_queue_url: str | None
    sandbox: SandboxAccess | None

    @property
    def stage(self) -> str:
        """The stage's name, the last part of the URL's path."""
        return urlsplit(self.url).path.rstrip("/").rsplit("/", 1)[-1]

    @property
    def prefix(self) -> str | None:
        """What the names of all our resources begin with, as `order-receiver-dev-`."""
        function = self.functions.get("websocket", "")
        return function.removesuffix("websocket") if function.endswith("-websocket") else None

    @property
    def place(self) -> access.Place:
        """Whose account the stack is in, and where."""
        if self.sandbox is not None:
            return access.Place(
                region=self.sandbox.region, account=None, sandbox=self.sandbox.endpoint
            )
        queue = _QUEUE.match(self.fanout_queue_url or "")
        return access.Place(
            region=_region(self.management_endpoint),
            account=queue["account"] if queue else None,
            sandbox=None,
        )

    def client(
        self, service: str, *, profile: str | None = None, endpoint: str | None = None
    ) -> Any:
        """A boto3 client of `service` in the stack's region, or of the sandbox's cloud.

        On an account the usual credentials and `profile` count; in the sandbox none of them does.
        `endpoint` is where an API's @connections are. Raises OperatorError where the credentials
        are another account's than the stack.
        """
        return access.client(self.place, service, profile=profile, endpoint=endpoint)


def parse(document: object) -> Deployed:
    """Check a stack's outputs and give them their types.

    Raises OperatorError that names every output that is missing.
    """
    outputs = _object(document, "the stack's outputs are")
    missing = [
        name for name in _NEEDED if not isinstance(outputs.get(name), str) or not outputs[name]
    ]
    if len(missing) == len(_NEEDED):
        raise OperatorError(
            "the stack has no outputs of the order receiver: it is not deployed (pulumi up), was "
            "destroyed, or is another program's"
        )
    if missing:
        raise OperatorError(
            f"the stack's outputs lack {', '.join(missing)}: an older version deployed it; deploy "
            "the present one (pulumi up)"
        )
    queue = outputs.get("fanoutQueueUrl")
    if not isinstance(queue, str | None):
        raise OperatorError(f"the stack's output fanoutQueueUrl is not a text: {queue!r}")
    sandbox = outputs.get("sandbox")
    return Deployed(
        api_id=outputs["sharedWebSocketApiId"],
        url=outputs["webSocketUrl"],
        management_endpoint=outputs["managementEndpoint"],
        connections_table=outputs["connectionsTable"],
        subscriptions_table=outputs["subscriptionsTable"],
        routes=tuple(outputs.get("routes") or ()),
        functions=_object(outputs.get("functions") or {}, "the stack's output functions is"),
        fanout_queue_url=queue,
        sandbox=None if sandbox is None else _sandbox(sandbox),
    )


def _sandbox(document: object) -> SandboxAccess:
    sandbox = _object(document, "the stack's output sandbox is")
    endpoint, region = sandbox.get("endpoint"), sandbox.get("region")
    if not isinstance(endpoint, str) or not isinstance(region, str):
        raise OperatorError(
            "the stack's output sandbox lacks its endpoint or region: get it with make outputs"
        )
    return SandboxAccess(endpoint=endpoint, region=region, users=tuple(sandbox.get("users") or ()))


def _region(endpoint: str) -> str:
    """The region that a management endpoint names."""
    named = _ENDPOINT.match(endpoint)
    if named is None:
        raise OperatorError(
            f"the stack's output managementEndpoint, {endpoint}, names no region: it must be "
            "https://ID.execute-api.REGION.amazonaws.com/STAGE"
        )
    return named["region"]


def _object(document: object, what: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise OperatorError(f"{what} not a JSON object")
    return cast("dict[str, Any]", document)


def load(*, stack: str | None, outputs: str | None) -> Deployed:
    """Read the outputs from a file (`-` is standard input), or ask the Pulumi CLI for a stack's."""
    if outputs is not None:
        return parse(_json(_read(outputs), f"the outputs in {outputs}"))
    if stack is None:
        raise OperatorError(
            "say which deployed stack: --stack NAME, or --outputs FILE (- is stdin)"
        )
    if shutil.which("pulumi") is None:
        raise OperatorError(
            f"the Pulumi CLI, which knows the outputs of stack {stack}, is not on the PATH: "
            "install it, or give the outputs with --outputs FILE"
        )
    asked = subprocess.run(
        ["pulumi", "--non-interactive", "stack", "output", "--json", "--stack", stack],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise OperatorError(
            f"no outputs of stack {stack}: {asked.stderr.strip() or asked.stdout.strip()}: "
            "pulumi stack ls names the stacks of the backend that is signed in to"
        )
    return parse(_json(asked.stdout, f"the outputs of stack {stack}"))


def stack_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which every command finds its stack; it gets a `deployed` argument.

    Whatever AWS, or the way to it, refuses the command ends in one line.
    """

    @click.option("--stack", help="A deployed Pulumi stack; its outputs are asked of the CLI.")
    @click.option(
        "--outputs", metavar="FILE", help="The stack's outputs as JSON; - is standard input."
    )
    @functools.wraps(command)
    def with_stack(*args: Any, stack: str | None, outputs: str | None, **rest: Any) -> Any:
        deployed = load(stack=stack, outputs=outputs)
        with access.readable(deployed.place, rest.get("profile")):
            return command(*args, deployed=deployed, **rest)

    return with_stack


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise OperatorError(f"cannot read the outputs in {name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise OperatorError(f"the outputs in {name} are not JSON: they are no text") from error


def _json(text: str, what: str) -> object:
    try:
        return cast("object", json.loads(text))
    except json.JSONDecodeError as error:
        raise OperatorError(f"{what} are not JSON: {error}") from error
