"""Addresses in a Lambda's environment that lead to the shared API, in the form that is needed."""

from collections.abc import Iterable, Iterator
from typing import Final

from policies.kinds import FUNCTION
from policies.model import Deferred, Finding, Resource
from policies.rule import MANDATORY, Outcome, Rule, Severity
from policies.rules import function_environment
from policies.settings import Settings
from policies.shared_platform import SharedPlatform
from policies.values import UNKNOWN

_API_ID: Final = "SHARED_WEBSOCKET_API_ID"


def check(resource: Resource, settings: Settings) -> Iterable[Outcome]:
    """Refuse a management address that is none, and WebSocket addresses of other APIs."""
    platform = settings.platform
    named = function_environment.variables(resource).text(_API_ID)
    if isinstance(named, str) and platform.own_api_ids and named not in platform.own_api_ids:
        problem = f"{_API_ID} is {named}, the stage's shared API is {_own(platform)}"
        yield Finding(resource=resource, problem=problem)
    for name, value in function_environment.texts(resource):
        management = function_environment.is_management_name(name)
        if management and value is UNKNOWN:
            yield Deferred(resource=resource, reason=f"{name} is not known yet")
        elif isinstance(value, str):
            expected = named if isinstance(named, str) else None
            for problem in _problems(value, platform, expected, management=management):
                yield Finding(resource=resource, problem=f'{name} is "{value}": {problem}')


def _problems(
    value: str, platform: SharedPlatform, expected: str | None, *, management: bool
) -> Iterator[str]:
    target = function_environment.address(value)
    if target is None:
        if management:
            yield "that is no URL; the management API is https://<api>.execute-api…/<stage>"
        return
    websocket = target.scheme in {"ws", "wss"}
    if not (management or websocket):
        return
    if management and websocket:
        yield "a client's address; the management API is the same one with https"
    elif management and target.scheme != "https" and not target.local:
        yield "the management API is https"
    if target.api is None:
        return
    if not target.stage:
        yield f"the stage is missing; it ends in /{platform.stage or '<stage>'}"
    own = platform.own_api_ids
    if own and target.api not in own:
        yield f"another API; the stage's shared API is {_own(platform)}"
    elif expected is not None and target.api.casefold() != expected.casefold():
        yield f"another API than {_API_ID}, which is {expected}"


def _own(platform: SharedPlatform) -> str:
    return " or ".join(sorted(platform.own_api_ids))


RULE = Rule(
    name="endpoint-is-that-of-shared-api",
    enforcement=MANDATORY,
    severity=Severity.HIGH,
    stops="A Lambda posts to the shared API's management address, and to no other API.",
    why=(
        "A wss:// address, one without the stage or one of an old API fails on every post, and the "
        "failure looks like clients that went away."
    ),
    fix="set it to the shared API's endpoint with https in place of wss, and the stage behind it.",
    link="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html",
    kinds=frozenset({FUNCTION}),
    check=check,
)
