"""One structured log line per message, and metrics in CloudWatch's embedded format.

    with invocation(context, correlation_id=extended_request_id):
        log("delivered", event_id=event.id, connection_id=connection_id, delivered=3)
        metrics({Metric.DELIVERED: 3}, entity_type="customer", event_type=event.type)

What may be logged is the list of fields below and nothing else, so that no token, name or phone
number gets into a log by a careless call. Ids of connections and people are hashed on the way out.
"""

import hashlib
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Final, Literal, Protocol, TypedDict, Unpack

import msgspec

from lambdas.catalogue import ANY_DIMENSION, METRIC_DIMENSIONS, METRICS_NAMESPACE, Env, Metric

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")

_MILLISECONDS: Final = frozenset({Metric.DURATION, Metric.EVENT_AGE})


class Context(Protocol):
    """What the Lambda runtime passes beside an event, as far as it is used here."""

    @property
    def function_name(self) -> str:
        """The function's name."""
        ...

    @property
    def aws_request_id(self) -> str:
        """The invocation's id."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the runtime ends the invocation."""
        ...


class Fields(TypedDict, total=False):
    """Everything that a log line can hold beside its level, time, message and invocation."""

    route_key: str
    event_type: str
    entity_type: str | None
    entity_id: str | None
    """Hashed to `entity_id_hash`: a user, a business or an order."""
    connection_id: str
    """Hashed."""
    event_id: str
    topic: str | None
    """Hashed to `topic_hash`: it holds an id."""
    recipients: int
    delivered: int
    stale: int
    throttled: int
    failed: int
    handed_on: int
    events: int
    removed: int
    attempt: int
    duration_ms: float
    outcome: str
    error_code: str
    error_type: str
    where: str


_HASHED: Final = {
    "connection_id": "connection_id",
    "entity_id": "entity_id_hash",
    "topic": "topic_hash",
}

_invocation: ContextVar[dict[str, object] | None] = ContextVar("invocation", default=None)
_started: list[bool] = []
_encode = msgspec.json.Encoder(enc_hook=str).encode


@contextmanager
def invocation(
    context: Context,
    *,
    correlation_id: str | None = None,
    extended_request_id: str | None = None,
) -> Generator[None]:
    """Give every line that is logged inside what it needs to be found again.

    The correlation id is that of the message or stream record that began it all; jobs carry it on.
    """
    known: dict[str, object] = {
        "function_name": context.function_name,
        "request_id": context.aws_request_id,
        "cold_start": not _started,
        "correlation_id": correlation_id or context.aws_request_id,
    }
    if extended_request_id is not None:
        known["extended_request_id"] = extended_request_id
    token = _invocation.set(known)
    _started[:] = [True]
    try:
        yield
    finally:
        _invocation.reset(token)


@contextmanager
def correlated(correlation_id: str) -> Generator[None]:
    """Log under the correlation id of one job or record of a batch."""
    token = _invocation.set({**(_invocation.get() or {}), "correlation_id": correlation_id})
    try:
        yield
    finally:
        _invocation.reset(token)


def holder(entity_type: str) -> None:
    """Say on every further line of this invocation what the holder of the connection is."""
    known = _invocation.get()
    if known is not None:
        known["entity_type"] = entity_type


def log(message: str, *, level: Level = "INFO", **fields: Unpack[Fields]) -> None:
    """Write one line. A field that is None is left out."""
    if _LEVELS.index(level) < _threshold():
        return
    line: dict[str, object] = {
        "level": level,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "service": os.environ.get(Env.SERVICE, "order-receiver"),
        **(_invocation.get() or {}),
        "message": message,
    }
    for name, value in fields.items():
        if value is None:
            continue
        if name in _HASHED:
            line[_HASHED[name]] = hashed(str(value))
        else:
            line[name] = value
    _write(line)


def failure(error: BaseException) -> Fields:
    """What a log may say of an exception: its type, where it arose, AWS's code; never its text."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    fields = Fields(error_type=type(error).__name__)
    if frame is not None:
        fields["where"] = f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}"
    code = getattr(error, "response", {}).get("Error", {}).get("Code")
    if code is not None:
        fields["error_code"] = str(code)
    return fields


def metrics(
    values: Mapping[Metric, float],
    *,
    entity_type: str | None = None,
    event_type: str | None = None,
) -> None:
    """Publish metrics, all with the same dimensions, by one line of the log and no call.

    The format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    if not values:
        return
    document: dict[str, object] = {
        "_aws": {
            "Timestamp": int(time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": os.environ.get(Env.METRICS_NAMESPACE, METRICS_NAMESPACE),
                    "Dimensions": [list(METRIC_DIMENSIONS)],
                    "Metrics": [
                        {
                            "Name": metric.value,
                            "Unit": "Milliseconds" if metric in _MILLISECONDS else "Count",
                        }
                        for metric in values
                    ],
                }
            ],
        },
        "stage": os.environ.get(Env.STAGE, ANY_DIMENSION),
        "entityType": entity_type or ANY_DIMENSION,
        "eventType": event_type or ANY_DIMENSION,
        **{metric.value: value for metric, value in values.items()},
    }
    _write(document)


def hashed(text: str) -> str:
    """A short stand-in for an id, the same for the same id."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _threshold() -> int:
    level = os.environ.get(Env.LOG_LEVEL, "INFO").upper()
    return _LEVELS.index(level) if level in _LEVELS else 1


def _write(line: Mapping[str, object]) -> None:
    sys.stdout.write(_encode(line).decode() + "\n")
    sys.stdout.flush()
