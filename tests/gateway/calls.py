"""The AWS calls of the code under test: counted, and made to fail where a test says so.

Hooks into botocore's own events, so nothing of the code under test is replaced. A hook sees every
attempt, retries included.
"""

import io
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from tests.gateway.faults import LambdaDiedError


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request to AWS."""

    operation: str
    body: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An error that DynamoDB answers instead of doing what it was asked."""

    code: str
    status: int = 400
    members: dict[str, Any] = field(default_factory=dict)


THROTTLED = Refusal(code="ProvisionedThroughputExceededException")
THROTTLED_REQUESTS = Refusal(code="ThrottlingException")
BROKEN = Refusal(code="InternalServerError", status=500)


def conflict(items: int) -> Refusal:
    """A transaction that another one got in the way of."""
    reasons = [{"Code": "TransactionConflict"}] + [{"Code": "None"}] * (items - 1)
    return Refusal(
        code="TransactionCanceledException",
        members={
            "CancellationReasons": reasons,
            "Message": "Transaction cancelled, please refer cancellation reasons for specific "
            f"reasons [{', '.join(reason['Code'] for reason in reasons)}]",
        },
    )


Chooser = Callable[[Call, int], Refusal | None]
"""Decides by the call and by how many calls went before it."""


@dataclass(kw_only=True)
class Calls:
    """What went to AWS through the watched clients."""

    log: list[Call] = field(default_factory=list)
    refuse: Chooser | None = None
    die_before: int | None = None
    """The Lambda's process ends just before this call (counted from 0) goes out."""
    die_after: int | None = None
    """The Lambda's process ends just after this call has taken effect."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _here: threading.local = field(default_factory=threading.local)

    @contextmanager
    def watching(self, clients: Sequence[Any]) -> Iterator["Calls"]:
        """Watch these botocore clients."""
        for client in clients:
            client.meta.events.register_first("before-send.*.*", self._before)
            client.meta.events.register_first("after-call.*.*", self._after)
            client.meta.events.register("provide-client-params.sqs.*", _at_once)
        try:
            yield self
        finally:
            for client in clients:
                client.meta.events.unregister("before-send.*.*", self._before)
                client.meta.events.unregister("after-call.*.*", self._after)
                client.meta.events.unregister("provide-client-params.sqs.*", _at_once)

    @contextmanager
    def counting(self) -> Iterator[list[Call]]:
        """The calls of one block; also where the numbers of `die_before` and `refuse` start."""
        with self._lock:
            self.log.clear()
        seen: list[Call] = []
        yield seen
        with self._lock:
            seen.extend(self.log)

    def heal(self) -> None:
        self.refuse = self.die_before = self.die_after = None

    def _before(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> Any:
        call = Call(operation=event_name.rpartition(".")[2], body=_body(request))
        with self._lock:
            number = len(self.log)
            self.log.append(call)
        self._here.number = number
        if number == self.die_before:
            raise LambdaDiedError
        refusal = self.refuse(call, number) if self.refuse is not None else None
        return None if refusal is None else _response(request, refusal)

    def _after(self, **_: Any) -> None:
        if getattr(self._here, "number", None) == self.die_after and self.die_after is not None:
            raise LambdaDiedError


def _at_once(params: dict[str, Any], **_: Any) -> None:
    """Nobody waits in a test for a queue message that is to be seen later."""
    params.pop("DelaySeconds", None)
    for entry in params.get("Entries", []):
        entry.pop("DelaySeconds", None)


def _body(request: AWSPreparedRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _response(request: AWSPreparedRequest, refusal: Refusal) -> AWSResponse:
    body = json.dumps(
        {
            "__type": f"com.amazonaws.dynamodb.v20120810#{refusal.code}",
            "message": refusal.members.get("Message", refusal.code),
            **refusal.members,
        }
    ).encode()
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": "test"}
    return AWSResponse(request.url, refusal.status, headers, _Raw(body))
