"""Which route a message takes, and what a route's Lambda may answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Handler = Callable[[dict[str, Any], Any], Any]


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route key's integration. Without a route response (`two_way`) its answer goes nowhere."""

    handler: Handler
    function_name: str = "handler"
    two_way: bool = False


def select_route(routes: Mapping[str, Route], body: str) -> str | None:
    """The route key that `$request.body.action` chooses, `$default`, or nothing.

    A body that is not JSON, has no such member, or names an unknown route goes to `$default`, as do
    the keys of the lifecycle: a client cannot call `$connect` by name.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        message = None
    key = message.get("action") if isinstance(message, dict) else None
    if isinstance(key, str) and key in routes and not key.startswith("$"):
        return key
    return "$default" if "$default" in routes else None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A Lambda proxy response."""

    status: int
    body: str | None


class MalformedAnswerError(Exception):
    """What a Lambda returned is no proxy response; AWS answers as if it had failed."""


def read_answer(result: object) -> Answer:
    """Take a handler's result as AWS does, through JSON."""
    try:
        answer = json.loads(json.dumps(result))
    except (TypeError, ValueError) as error:
        raise MalformedAnswerError(f"not JSON: {error}") from error
    if not isinstance(answer, dict) or not isinstance(answer.get("statusCode"), int):
        raise MalformedAnswerError(f"no integer statusCode in {answer!r}")
    body = answer.get("body")
    if body is not None and not isinstance(body, str):
        raise MalformedAnswerError(f"body is {type(body).__name__}, not a string")
    return Answer(status=answer["statusCode"], body=body)
