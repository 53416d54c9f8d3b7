"""Lifecycle routes, where the platform has handed them over: $connect, $disconnect, $default.

What is not ours is passed on to the platform's Lambda that served the route before, as it came, and
answered with what that says.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError

from lambdas import batches, clients, tables
from lambdas.exchange import Exchange
from lambdas.messages import ErrorCode
from lambdas.observability import failure, log
from lambdas.refusal import Refusal
from lambdas.rows import Connection, subscription_id

CONNECT: Final = "$connect"
DISCONNECT: Final = "$disconnect"
DEFAULT: Final = "$default"

Response = Mapping[str, Any]


class NotPassedOnError(Exception):
    """The platform's Lambda could not be reached, or failed."""


def pass_on(event: Mapping[str, Any], function: str) -> Response:
    """What the platform's Lambda answers to the event. Raises NotPassedOnError."""
    try:
        answer = clients.functions().invoke(
            FunctionName=function, Payload=json.dumps(event).encode()
        )
        if "FunctionError" in answer:
            raise NotPassedOnError(function)
        response = json.loads(answer["Payload"].read() or b"null")
    except (ClientError, BotoCoreError, ValueError) as error:
        raise NotPassedOnError(function) from error
    return cast("Response", response) if isinstance(response, dict) else {"statusCode": 200}


def serve(event: Mapping[str, Any], route_key: str, exchange: Exchange) -> Response:
    """Serve $connect or $disconnect; a connection that nobody can judge is not let in."""
    function = exchange.configuration.former_functions.get(route_key)
    gone = _subscriptions(exchange) if route_key == DISCONNECT else frozenset[str]()
    try:
        if function is None:
            raise NotPassedOnError(route_key)
        return pass_on(event, function)
    except NotPassedOnError as error:
        log("lifecycle event not passed on", level="ERROR", **failure(error))
        return {"statusCode": 500 if route_key == CONNECT else 200}
    finally:
        batches.delete(
            exchange.configuration.subscriptions.name,
            exchange.configuration.subscriptions.key,
            gone,
        )


def _subscriptions(exchange: Exchange) -> frozenset[str]:
    """Ids of the subscriptions of a connection that is closing, found before its row goes."""
    (row,) = tables.read((exchange.configuration.connections, exchange.connection_id))
    topics = Connection.of(row).topics if row else frozenset[str]()
    return frozenset(subscription_id(exchange.connection_id, topic) for topic in topics)


def foreign(event: Mapping[str, Any], exchange: Exchange) -> Response | None:
    """What the platform answers to a message on $default that is not ours.

    None when the platform has not handed over the route. Raises Refusal: `unavailable`.
    """
    function = exchange.configuration.former_functions.get(DEFAULT)
    if event["requestContext"].get("routeKey") != DEFAULT or function is None:
        return None
    try:
        return pass_on(event, function)
    except NotPassedOnError as error:
        log("message not passed on", level="ERROR", **failure(error))
        raise Refusal(ErrorCode.UNAVAILABLE, "Not now: try again.", retry_after_ms=1000) from None
