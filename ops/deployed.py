"""The deployed stack as its outputs describe it, and the AWS clients to look at it with."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import boto3
import botocore.session
import click
from botocore.config import Config

from ops.errors import OperatorError

_NEEDED = (
    "sharedWebSocketApiId",
    "webSocketUrl",
    "managementEndpoint",
    "connectionsTable",
    "subscriptionsTable",
)
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=15,
    retries={"mode": "standard", "total_max_attempts": 4},
)

_NO_SURROUNDINGS: Any = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""The sandbox is reached whatever profile is chosen, also one that does not exist."""


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
    def region(self) -> str:
        """The region that the management endpoint names, or the sandbox's."""
        if self.sandbox is not None:
            return self.sandbox.region
        return urlsplit(self.management_endpoint).netloc.split(".")[2]

    def client(
        self, service: str, *, profile: str | None = None, endpoint: str | None = None
    ) -> Any:
        """A boto3 client of `service` in the stack's region, or of the sandbox's cloud.

        On an account the usual credentials and `profile` count; in the sandbox none of them does.
        `endpoint` is where an API's @connections are.
        """
        if self.sandbox is None:
            return _client(service, self.region, endpoint, profile, own=True)
        return _client(service, self.region, endpoint or self.sandbox.endpoint, None, own=False)


@functools.lru_cache
def _client(
    service: str, region: str, endpoint: str | None, profile: str | None, *, own: bool
) -> Any:
    """A client, the same one for the same service: making one takes longer than most calls."""
    if own:
        session = boto3.Session(profile_name=profile, region_name=region)
    else:
        session = boto3.Session(
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the sandbox's only key
            region_name=region,
            botocore_session=botocore.session.Session(session_vars=_NO_SURROUNDINGS),
        )
    make = cast("Callable[..., Any]", session.client)
    # No proxy of the surroundings stands between this machine and its own sandbox.
    config = _CONFIG if own else _CONFIG.merge(Config(proxies={}))
    return make(service, endpoint_url=endpoint, config=config)


def parse(document: object) -> Deployed:
    """Check a stack's outputs and give them their types.

    Raises OperatorError that names every output that is missing.
    """
    if not isinstance(document, dict):
        raise OperatorError("the stack's outputs are not a JSON object")
    outputs = cast("dict[str, Any]", document)
    missing = [name for name in _NEEDED if not isinstance(outputs.get(name), str)]
    if missing:
        raise OperatorError(
            f"the stack's outputs lack {', '.join(missing)}: deploy the stack first (pulumi up)"
        )
    sandbox = cast("dict[str, Any] | None", outputs.get("sandbox"))
    return Deployed(
        api_id=outputs["sharedWebSocketApiId"],
        url=outputs["webSocketUrl"],
        management_endpoint=outputs["managementEndpoint"],
        connections_table=outputs["connectionsTable"],
        subscriptions_table=outputs["subscriptionsTable"],
        routes=tuple(outputs.get("routes") or ()),
        functions=outputs.get("functions") or {},
        fanout_queue_url=outputs.get("fanoutQueueUrl"),
        sandbox=None
        if sandbox is None
        else SandboxAccess(
            endpoint=sandbox["endpoint"],
            region=sandbox["region"],
            users=tuple(sandbox.get("users", ())),
        ),
    )


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
        ["pulumi", "stack", "output", "--json", "--stack", stack],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise OperatorError(f"no outputs of stack {stack}: {asked.stderr.strip()}")
    return parse(_json(asked.stdout, f"the outputs of stack {stack}"))


def stack_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which every command finds its stack; it gets a `deployed` argument."""

    @click.option("--stack", help="A deployed Pulumi stack; its outputs are asked of the CLI.")
    @click.option(
        "--outputs", metavar="FILE", help="The stack's outputs as JSON; - is standard input."
    )
    @functools.wraps(command)
    def with_stack(*args: Any, stack: str | None, outputs: str | None, **rest: Any) -> Any:
        return command(*args, deployed=load(stack=stack, outputs=outputs), **rest)

    return with_stack


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise OperatorError(f"cannot read the outputs in {name}: {error.strerror}") from error


def _json(text: str, what: str) -> object:
    try:
        return cast("object", json.loads(text))
    except json.JSONDecodeError as error:
        raise OperatorError(f"{what} are not JSON: {error}") from error
