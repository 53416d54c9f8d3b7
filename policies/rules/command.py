"""Commands that create infrastructure beside the program."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from policies.kinds import COMMAND
from policies.model import Finding, Resource
from policies.rule import ADVISORY, MANDATORY, Outcome, Rule, Severity
from policies.settings import Settings
from policies.values import Unknown, walk

_CREATES_API: Final = re.compile(
    r"apigatewayv2['\"\s,\\]+(create|import)-api\b|\.create_api\s*\(|CreateApiCommand"
    r"|AWS::Serverless::WebSocketApi",
    re.IGNORECASE,
)
_HTTP: Final = re.compile(r"protocol[-_]?type['\"\s=:,\\]+HTTP\b", re.IGNORECASE)
_WEBSOCKET: Final = re.compile(r"WEBSOCKET", re.IGNORECASE)
_DEPLOYS: Final = re.compile(
    r"\b(sam\s+(deploy|sync)|cloudformation\s+(deploy|create-stack|update-stack|create-change-set)"
    r"|cloudcontrol\s+create-resource|(sls|serverless|osls)\s+deploy|(terraform|tofu|terragrunt)\s+apply"
    r"|cdk\s+deploy|cdklocal\s+deploy|pulumi\s+up|chalice\s+deploy|sst\s+deploy|copilot\s+deploy"
    r"|apigatewayv2\s+\S+)",
    re.IGNORECASE,
)


def check_certain(resource: Resource, _settings: Settings) -> Iterable[Outcome]:
    """Refuse a command that creates an API, unless it says that it is an HTTP API."""
    for text in _texts(resource):
        if _CREATES_API.search(text) and (_WEBSOCKET.search(text) or not _HTTP.search(text)):
            yield Finding(resource=resource, problem=f"it runs `{_excerpt(text, _CREATES_API)}`")
            return


def check_suspicious(resource: Resource, _settings: Settings) -> Iterable[Outcome]:
    """Warn about a command that deploys something, or that is not known yet."""
    if any(isinstance(value, Unknown) for value in _values(resource)):
        yield Finding(resource=resource, problem="a part of its command is not known yet")
    for text in _texts(resource):
        if _DEPLOYS.search(text):
            yield Finding(resource=resource, problem=f"it runs `{_excerpt(text, _DEPLOYS)}`")
            return


def _values(resource: Resource) -> Iterator[object]:
    for name in ("create", "update", "delete", "stdin", "environment", "interpreter", "command"):
        yield from walk(resource.props.get(name))


def _texts(resource: Resource) -> Iterator[str]:
    for value in _values(resource):
        if isinstance(value, str):
            # A line that is continued with a backslash is one line.
            yield value.replace("\\\n", " ")


def _excerpt(text: str, found: re.Pattern[str]) -> str:
    match = found.search(text)
    assert match is not None
    return " ".join(text[match.start() : match.start() + 60].split())


CERTAIN = Rule(
    name="no-websocket-api-from-command",
    enforcement=MANDATORY,
    severity=Severity.CRITICAL,
    stops="No command creates a WebSocket API.",
    why="What a command creates is in no state: no preview shows it and no destroy removes it.",
    fix="attach routes to the shared API in the program; create an HTTP API as a resource.",
    link="https://docs.aws.amazon.com/cli/latest/reference/apigatewayv2/create-api.html",
    kinds=frozenset({COMMAND}),
    check=check_certain,
)

SUSPICIOUS = Rule(
    name="command-deploys-infrastructure",
    enforcement=ADVISORY,
    severity=Severity.MEDIUM,
    stops="A command that deploys infrastructure hides it from the policies.",
    why="Whatever another tool deploys from here, WebSocket APIs included, no policy has seen.",
    fix="define the resources in the program, or run the check on that tool's template or plan.",
    link="https://www.pulumi.com/registry/packages/command/",
    kinds=frozenset({COMMAND}),
    check=check_suspicious,
)
