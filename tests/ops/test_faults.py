"""Every command under every fault: one line that names thing, reason and way out, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import create_loader
from click.testing import CliRunner, Result

from ops import access
from ops.__main__ import ops
from tests.ops.aws import Aws, serving

ROOT = Path(__file__).resolve().parents[2]

OUTPUTS: dict[str, Any] = {
    "sharedWebSocketApiId": "lwk0wf6rpl",
    "webSocketUrl": "ws://127.0.0.1:9/dev",
    "managementEndpoint": "https://lwk0wf6rpl.execute-api.eu-west-1.amazonaws.com/dev",
    "connectionsTable": "WizzUser_websocket_connections_dev",
    "subscriptionsTable": "WizzUser_websocket_subscriptions_dev",
    "routes": ["PING"],
    "functions": {"websocket": "order-receiver-dev-websocket"},
    "fanoutQueueUrl": "https://sqs.eu-west-1.amazonaws.com/222222222222/order-receiver-dev-fanout",
}

LOADER = create_loader()

LEGACY = ("--legacy-stack", "order-receiver-regional-dev")
CANARY = ("--canary", "business_1", "--other-business", "business_2")
ACCOUNT_COMMANDS: dict[str, tuple[str, ...]] = {
    "status": ("status",),
    "status --watch": ("status", "--watch", "60"),
    "repair": ("repair",),
    "repair --apply": ("repair", "--apply", "--journal", "{folder}/journal.jsonl"),
    "verify": ("verify", *CANARY),
    "migrate plan": ("migrate", "plan", *LEGACY),
    "migrate apply": ("migrate", "apply", "--yes", "--backup-dir", "{folder}/b", *LEGACY, *CANARY),
    "migrate rollback": ("migrate", "rollback", *LEGACY),
    "migrate status": ("migrate", "status", *LEGACY),
}
"""Commands that ask AWS."""
STACK_COMMANDS = {
    **ACCOUNT_COMMANDS,
    "verify --read-only": ("verify", "--read-only"),
    "client-config": ("client-config",),
}
"""Commands that look at a deployed stack."""


@pytest.fixture
def aws() -> Iterator[Aws]:
    with serving() as stand_in:
        yield stand_in


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Credentials of nobody, and nothing of this machine's own configuration."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "HTTP", "http"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("VERIFY_MERCHANT_TOKEN", "a.b.c")
    monkeypatch.setenv("VERIFY_CUSTOMER_TOKEN", "a.b.c")
    # What botocore knows of AWS's services is read from the disk once, not for every test.
    monkeypatch.setattr("botocore.session.create_loader", lambda _: LOADER)
    # botocore waits between its tries.
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    access.forget()
    yield
    access.forget()


def _run(words: tuple[str, ...], folder: Path, document: object = OUTPUTS) -> Result:
    file = folder / "outputs.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    arguments = [word.format(folder=folder) for word in words]
    return CliRunner().invoke(ops, [*arguments, "--outputs", str(file)])


def _refused(result: Result, *parts: str) -> None:
    """It ended with status 2 and one readable error that says all of this."""
    assert result.exit_code == 2, (result.output, result.exception)
    assert isinstance(result.exception, SystemExit)
    said = result.stderr
    assert "Traceback" not in said
    assert [line.startswith("Error: ") for line in said.splitlines()].count(True) == 1, said
    for part in parts:
        assert part in said, said


def account_commands(test: Callable[..., None]) -> Callable[..., None]:
    return pytest.mark.parametrize("words", ACCOUNT_COMMANDS.values(), ids=ACCOUNT_COMMANDS.keys())(
        test
    )


# --- Before AWS lets anybody in -------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Door:
    """What is wrong with the way in, and what the operator reads."""

    says: tuple[str, ...]
    environment: Mapping[str, str | None] = field(default_factory=dict)
    config: str = ""
    options: tuple[str, ...] = ()
    identity: tuple[int, str] | None = None
    garbage: str = ""


SIGN_IN = "sign in"
DOORS = {
    "no credentials": Door(
        environment={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
        says=("there are no AWS credentials", SIGN_IN, "--profile"),
    ),
    "half of the credentials": Door(
        environment={"AWS_SECRET_ACCESS_KEY": None}, says=("incomplete", SIGN_IN)
    ),
    "expired credentials": Door(
        identity=(403, "ExpiredToken"),
        says=("GetCallerIdentity", "the AWS credentials have expired", SIGN_IN),
    ),
    "unknown credentials": Door(
        identity=(403, "InvalidClientTokenId"),
        says=("AWS does not know these credentials", SIGN_IN),
    ),
    "a wrong secret": Door(
        identity=(403, "SignatureDoesNotMatch"), says=("signature is wrong", "clock")
    ),
    "a profile that does not exist": Door(
        options=("--profile", "nobody"), says=("profile (nobody)", "aws configure list-profiles")
    ),
    "AWS_PROFILE that does not exist": Door(
        environment={"AWS_PROFILE": "nobody"}, says=("profile (nobody)", "list-profiles")
    ),
    "a configuration that cannot be read": Door(config="[", says=("config", "mend that file")),
    "a credential process that fails": Door(
        config="[profile broken]\ncredential_process = false\n",
        options=("--profile", "broken"),
        environment={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
        says=("no AWS credentials of profile broken", SIGN_IN),
    ),
    "an SSO session that was never opened": Door(
        config=(
            "[profile sso]\nsso_session = s\nsso_account_id = 222222222222\nsso_role_name = r\n"
            "[sso-session s]\nsso_start_url = https://example.test\nsso_region = eu-west-1\n"
        ),
        options=("--profile", "sso"),
        environment={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
        says=("no AWS credentials of profile sso", "aws sso login"),
    ),
    "AWS cannot be reached": Door(
        environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
        says=("AWS cannot be reached", "http://127.0.0.1:9", "network"),
    ),
    "a proxy that does not answer": Door(
        environment={"HTTP_PROXY": "http://127.0.0.1:9"}, says=("AWS cannot be reached", "proxy")
    ),
    "an endpoint that is no URL": Door(
        environment={"AWS_ENDPOINT_URL": "not a url"}, says=("not a url", "AWS_ENDPOINT_URL")
    ),
    "a captive portal": Door(garbage="<html>Welcome", says=("is not AWS", "captive portal")),
    "throttling": Door(
        identity=(400, "Throttling"),
        says=("GetCallerIdentity was throttled", "run the command again"),
    ),
}


@account_commands
@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS.keys())
def test_who_is_not_let_in_reads_why_and_what_to_do(
    words: tuple[str, ...],
    door: Door,
    aws: Aws,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aws.identity_fault, aws.garbage = door.identity, door.garbage
    for name, value in {"AWS_ENDPOINT_URL": aws.url, **door.environment}.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(
            name, value
        )
    (tmp_path / "config").write_text(door.config, encoding="utf-8")
    _refused(_run((*words, *door.options), tmp_path), *door.says)
    assert set(aws.asked) <= {"sts"}


@account_commands
def test_credentials_of_another_account_are_told_before_anything_is_asked(
    words: tuple[str, ...], aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    aws.account = "111111111111"
    _refused(
        _run(words, tmp_path),
        "the stack is in account 222222222222",
        "111111111111",
        "--profile",
    )
    assert set(aws.asked) == {"sts"}


@account_commands
@pytest.mark.parametrize(
    "queue",
    [None, "", "https://sqs.eu-west-1.amazonaws.com/fanout"],
    ids=["absent", "empty", "naming none"],
)
def test_where_nobody_can_tell_whose_account_the_stack_is_in_nothing_is_asked(
    words: tuple[str, ...],
    queue: str | None,
    aws: Aws,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    outputs = OUTPUTS | {"fanoutQueueUrl": queue}
    _refused(_run(words, tmp_path, outputs), "whose account", "fanoutQueueUrl", "pulumi up")
    assert aws.asked == []


# --- What AWS answers -----------------------------------------------------------------------------

ANSWERS = {
    "absent": (
        (404, "ResourceNotFoundException"),
        ("found nothing", "account 222222222222, region eu-west-1", "get them again"),
    ),
    "forbidden": (
        (403, "AccessDeniedException"),
        ("was refused", "account 222222222222, region eu-west-1", "says AWS", "grant"),
    ),
    "throttled": (
        (400, "ThrottlingException"),
        ("was throttled", "account 222222222222, region eu-west-1", "run the command again"),
    ),
    "broken": ((500, "InternalServerError"), ("failed", "run the command again later")),
    "expired on the way": ((400, "ExpiredTokenException"), ("have expired", SIGN_IN)),
}


@pytest.mark.parametrize(("fault", "says"), ANSWERS.values(), ids=ANSWERS.keys())
@pytest.mark.parametrize(
    "name", ["status", "status --watch", "repair", "repair --apply", "migrate plan"]
)
def test_what_aws_refuses_is_told_with_the_place_that_was_asked(
    name: str,
    fault: tuple[int, str],
    says: tuple[str, ...],
    aws: Aws,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    aws.fault = fault
    monkeypatch.setattr("ops.status.command._refresh", lambda *_: None)
    result = _run(ACCOUNT_COMMANDS[name], tmp_path)
    assert "Traceback" not in result.output
    if name.startswith("status"):
        said = " ".join(result.output.replace("│", " ").split())
        assert result.exit_code == (0 if "watch" in name else 2)
        assert "could not be read" in said
    else:
        _refused(result, *says)


def test_a_throttled_call_is_tried_more_than_once(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    aws.fault = (400, "ThrottlingException")
    _refused(_run(("repair", "--businesses-table", "b"), tmp_path), "DescribeTable was throttled")
    assert aws.asked.count("dynamodb") == 4


# --- The stack and its outputs --------------------------------------------------------------------

DOCUMENTS: dict[str, tuple[object, tuple[str, ...]]] = {
    "not deployed": ({}, ("is not deployed", "pulumi up")),
    "another program's": ({"bucket": "b"}, ("another program's",)),
    "an older version's": (
        {k: v for k, v in OUTPUTS.items() if k != "managementEndpoint"},
        ("lack managementEndpoint", "older version", "pulumi up"),
    ),
    "no object": ([], ("not a JSON object",)),
    "no JSON": ("{", ("are not JSON",)),
    "an endpoint of nowhere": (
        OUTPUTS | {"managementEndpoint": "https://ws.example.com"},
        ("names no region", "https://ws.example.com"),
    ),
    "functions of a wrong form": (OUTPUTS | {"functions": ["a"]}, ("functions", "not a JSON obj")),
    "a queue of a wrong form": (OUTPUTS | {"fanoutQueueUrl": 7}, ("fanoutQueueUrl", "7")),
    "half a sandbox": (OUTPUTS | {"sandbox": {}}, ("sandbox", "make outputs")),
}


@pytest.mark.parametrize("words", STACK_COMMANDS.values(), ids=STACK_COMMANDS.keys())
@pytest.mark.parametrize(("document", "says"), DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_outputs_that_are_not_a_deployed_stacks_are_told(
    words: tuple[str, ...], document: object, says: tuple[str, ...], tmp_path: Path
) -> None:
    _refused(_run(words, tmp_path, document), *says)


@pytest.mark.parametrize("words", STACK_COMMANDS.values(), ids=STACK_COMMANDS.keys())
def test_a_stack_that_the_cli_does_not_know_is_told_with_its_words(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli = tmp_path / "pulumi"
    cli.write_text("#!/bin/sh\necho \"error: no stack named 'dev' found\" >&2\nexit 255\n")
    cli.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    arguments = [word.format(folder=tmp_path) for word in words]
    result = CliRunner().invoke(ops, [*arguments, "--stack", "dev"])
    _refused(result, "no outputs of stack dev", "no stack named 'dev' found", "pulumi stack ls")


@account_commands
def test_a_sandbox_that_is_not_running_is_told(words: tuple[str, ...], tmp_path: Path) -> None:
    users = [{"name": "m", "role": "merchant", "businessId": "b"}]
    sandbox = {"endpoint": "http://127.0.0.1:9", "region": "us-east-1", "users": users}
    result = _run(words, tmp_path, OUTPUTS | {"sandbox": sandbox})
    if words[0] == "verify":  # it tries the URL first, and says so as a step that failed
        assert result.exit_code in {1, 2}
        assert "Traceback" not in result.output
        return
    _refused(result, "does not answer at http://127.0.0.1:9", "make up")


def test_what_the_operator_reads_is_all_that_a_process_prints(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    aws.identity_fault = (403, "ExpiredToken")
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(OUTPUTS), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ops", "status", "--outputs", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: GetCallerIdentity was refused: the AWS credentials have")
    assert done.stderr.count("\n") == 1
