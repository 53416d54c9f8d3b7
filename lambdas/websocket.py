"""The Lambda that serves every route of ours on the shared WebSocket API.

An event becomes an exchange, its body a typed request, the request an answer; whatever is refused
becomes an ERROR. The answer is the Lambda's own return value: routes are two-way, so that answering
costs no call.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import monotonic, time
from typing import Any, Final, cast

import msgspec
from msgspec import UNSET

from lambdas import envelope, lifecycle
from lambdas.actions import businesses, liveness, messaging, orders, registration, toggle
from lambdas.answers import Answer, Error
from lambdas.catalogue import Metric
from lambdas.configuration import Configuration, ConfigurationError
from lambdas.envelope import Envelope
from lambdas.exchange import Exchange, correlation_id
from lambdas.limits import Limiter
from lambdas.messages import ErrorCode, encode
from lambdas.observability import Context, Fields, failure, invocation, log, metrics
from lambdas.refusal import Refusal
from lambdas.requests import (
    REQUEST_BY_ACTION,
    BusinessStatusUpdate,
    Heartbeat,
    MerchantHeartbeat,
    MerchantLogout,
    Ping,
    RegisterConnection,
    Request,
    SendOrderMessage,
    SubscribeBusinessStatus,
    SubscribeOrder,
    SubscribeOrders,
    UnsubscribeBusinessStatus,
    UnsubscribeOrder,
)
from lambdas.rows import iso

Response = Mapping[str, Any]

ACTIONS: Mapping[type[Request], Callable[..., Answer]] = {
    Ping: liveness.ping,
    MerchantHeartbeat: liveness.merchant_heartbeat,
    Heartbeat: liveness.heartbeat,
    RegisterConnection: registration.register,
    MerchantLogout: registration.log_out,
    SubscribeOrders: businesses.subscribe_orders,
    SubscribeBusinessStatus: businesses.subscribe_business_status,
    UnsubscribeBusinessStatus: businesses.unsubscribe_business_status,
    BusinessStatusUpdate: toggle.update_business_status,
    SubscribeOrder: orders.subscribe_order,
    UnsubscribeOrder: orders.unsubscribe_order,
    SendOrderMessage: messaging.send,
}

_OUR_FAULT: Final = Refusal(
    ErrorCode.UNAVAILABLE, "Something went wrong here: try again.", retry_after_ms=1000
)

_limiter: Final = Limiter()


def handler(event: Mapping[str, Any], context: Context) -> Response:
    """Serve one event of the shared API."""
    request_context = cast("Mapping[str, Any]", event["requestContext"])
    route_key = str(request_context.get("routeKey", ""))
    with invocation(
        context,
        correlation_id=correlation_id(request_context) or None,
        extended_request_id=request_context.get("extendedRequestId"),
    ):
        try:
            configuration = Configuration.of()
        except ConfigurationError as error:
            return _misconfigured(error, event, route_key)
        exchange = Exchange.of(request_context, configuration, time())
        if route_key in (lifecycle.CONNECT, lifecycle.DISCONNECT):
            return lifecycle.serve(event, route_key, exchange)
        begun = monotonic()
        outcome = _serve(event, exchange)
        _report(outcome, exchange, milliseconds=(monotonic() - begun) * 1000)
        return outcome.response


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What became of a message."""

    response: Response
    action: str | None
    request: Request | None = None
    error: ErrorCode | None = None
    is_fault: bool = False
    """Whether the error is ours."""


def _serve(event: Mapping[str, Any], exchange: Exchange) -> _Outcome:
    wait = _limiter.wait(exchange.connection_id, monotonic())
    message = request = None
    try:
        try:
            message = envelope.read(event.get("body"), is_binary=bool(event.get("isBase64Encoded")))
            if wait:
                raise Refusal(
                    ErrorCode.UNAVAILABLE, "Too many messages.", retry_after_ms=int(wait * 1000) + 1
                )
            request = envelope.request_of(message)
        except Refusal as refusal:
            if message is None or refusal.code is ErrorCode.UNKNOWN_ACTION:
                response = lifecycle.foreign(event, exchange)
                if response is not None:
                    return _Outcome(response=response, action=None)
            raise
        answer = ACTIONS[type(request)](request, exchange)
    except Refusal as refusal:
        return _refused(refusal, message, request, exchange)
    except Exception as error:  # noqa: BLE001  (or the gateway would answer with its text)
        log("message failed", level="ERROR", **failure(error))
        return replace(_refused(_OUR_FAULT, message, request, exchange), is_fault=True)
    return _Outcome(response=_response(answer, message), action=message.action, request=request)


def _refused(
    refusal: Refusal, message: Envelope | None, request: Request | None, exchange: Exchange
) -> _Outcome:
    action = message.action if message else refusal.action
    answer = _error(refusal, action, exchange.timestamp)
    return _Outcome(
        response=_response(answer, message), action=action, request=request, error=refusal.code
    )


def _misconfigured(error: ConfigurationError, event: Mapping[str, Any], route_key: str) -> Response:
    """Answer without knowing anything; a connection that nobody can judge is not let in."""
    log("configuration cannot be read", level="ERROR", where=error.variable)
    metrics({Metric.FAULTS: 1})
    if route_key in (lifecycle.CONNECT, lifecycle.DISCONNECT):
        return {"statusCode": 500 if route_key == lifecycle.CONNECT else 200}
    try:
        message = envelope.read(event.get("body"), is_binary=bool(event.get("isBase64Encoded")))
    except Refusal:
        message = None
    return _response(_error(_OUR_FAULT, message and message.action, iso(time())), message)


def _error(refusal: Refusal, action: str | None, timestamp: str) -> Error:
    return Error(
        timestamp=timestamp,
        code=refusal.code,
        message=refusal.message,
        original_type=action or UNSET,
        retry_after_ms=refusal.retry_after_ms or UNSET,
    )


def _response(answer: Answer, message: Envelope | None) -> Response:
    if message is not None and message.request_id is not None:
        answer = msgspec.structs.replace(answer, request_id=message.request_id)
    return {"statusCode": 200, "body": encode(answer).decode()}


def _report(outcome: _Outcome, exchange: Exchange, *, milliseconds: float) -> None:
    # A client's own words are no name for a metric; those of the protocol are.
    known = outcome.action in REQUEST_BY_ACTION
    event_type = outcome.action if known else None
    fields = Fields(
        event_type="MESSAGE",
        connection_id=exchange.connection_id,
        entity_id=outcome.request.subject if outcome.request else None,
        outcome="refused" if outcome.error else "ok",
        duration_ms=round(milliseconds, 1),
    )
    if event_type is not None:
        fields["route_key"] = event_type
    if outcome.error is not None:
        fields["error_code"] = outcome.error
    log("message", **fields)
    values = {Metric.MESSAGES: 1.0}
    if outcome.error:
        values[Metric.REFUSED] = 1.0
    metrics(values, event_type=event_type)
    if outcome.is_fault:
        # Without the action: an alarm asks for one metric, not for one of each action.
        metrics({Metric.FAULTS: 1})
