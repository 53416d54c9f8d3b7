"""Messages: AWS calls, a toggle before 1,000 customers, growth with foreign rows, cold import.

The calls stand beside those of the handler that this replaces, counted on the same emulator.
"""

import contextlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import pytest

from bench.ratio import Goal, Ratio
from sandbox import cloud as sandbox_cloud
from tests.gateway import backend as backends
from tests.gateway.backend import Backend
from tests.gateway.cognito import Cognito
from tests.gateway.devices import Device

ROUNDS = 40
AUDIENCE = 1000
FOREIGN_ROWS = 12_000
IMPORTS = 7

FORMER_CALLS = {
    "PING": 3,
    "HEARTBEAT": 3,
    "REGISTER_CONNECTION": 4,
    "SUBSCRIBE_ORDERS": 6,
    "BUSINESS_STATUS_UPDATE": 9,
    "MERCHANT_LOGOUT": 5,
}
FLOOR = {
    "PING": 0,
    "HEARTBEAT": 1,
    "REGISTER_CONNECTION": 3,
    "SUBSCRIBE_ORDERS": 3,
    "BUSINESS_STATUS_UPDATE": 4,
    "MERCHANT_LOGOUT": 3,
}


def run() -> list[Ratio]:
    with _backend() as backend, contextlib.redirect_stdout(io.StringIO()):
        backend.business("b1", owner="m1")
        merchant = backend.merchant("m1", "b1")
        ratios = [*_calls(backend, merchant), _audience(backend), _foreign_rows(backend, merchant)]
    return [*ratios, _import()]


@contextlib.contextmanager
def _backend() -> Iterator[Backend]:
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        cloud = sandbox_cloud.start(Path(home), tied=True)
        # The limit of messages would stop us; nothing else of the handler is changed.
        patch.setattr("lambdas.limits.BURST", 1_000_000)
        try:
            with Cognito() as cognito, backends.running(cloud, cognito, patch) as backend:
                yield backend
        finally:
            cloud.stop()


def _calls(backend: Backend, merchant: Device) -> Iterator[Ratio]:
    token = backend.cognito.merchants.token("m1")
    fields: dict[str, dict[str, object]] = {
        "REGISTER_CONNECTION": {"businessId": "b1", "token": token},
        "SUBSCRIBE_ORDERS": {"businessId": "b1"},
        "BUSINESS_STATUS_UPDATE": {"businessId": "b1", "isActive": True},
        "MERCHANT_LOGOUT": {"businessId": "b1"},
    }
    for action, former in FORMER_CALLS.items():
        with backend.calls.counting() as calls:
            answer = merchant.ask(action, **fields.get(action, {}))
        assert answer["type"] != "ERROR", answer
        yield Ratio(
            what=f"calls of {action}",
            ours=len(calls),
            peer=former,
            unit="calls",
            against="the former handler",
            goal=Goal.AT_MOST,
            bound=FLOOR[action] / former,
        )
    merchant.ask("REGISTER_CONNECTION", businessId="b1", token=token)
    merchant.ask("SUBSCRIBE_ORDERS", businessId="b1")


def _audience(backend: Backend) -> Ratio:
    """The merchant's confirmation with many customers who are to be told, and with one."""
    devices: dict[int, Device] = {}
    for size in (1, AUDIENCE):
        business_id = f"audience-{size}"
        backend.business(business_id, owner="m1")
        devices[size] = backend.merchant("m1", business_id)
        devices[size].ask("SUBSCRIBE_ORDERS", businessId=business_id)
        _subscribe(backend, business_id, size)
    states = dict.fromkeys(devices, False)

    def toggle(size: int) -> Callable[[], None]:
        def act() -> None:
            states[size] = not states[size]
            answer = devices[size].ask(
                "BUSINESS_STATUS_UPDATE",
                businessId=f"audience-{size}",
                isActive=states[size],
            )
            assert answer["type"] == "BUSINESS_STATUS_UPDATED", answer

        return act

    one, many = _alternate(toggle(1), toggle(AUDIENCE))
    backend.queue.clear()
    return Ratio(
        what=f"toggle confirmed, {AUDIENCE:,} subscribed",
        ours=many * 1000,
        peer=one * 1000,
        unit="ms",
        against="one subscribed",
        goal=Goal.AT_MOST,
        bound=1.2,
    )


def _subscribe(backend: Backend, business_id: str, number: int) -> None:
    topic, moment = f"merchant_status_{business_id}", backend.timestamp()
    backend.tables.subscriptions.put_all(
        {
            "subscriptionId": f"Customer{n:07d}=#{topic}",
            "connectionId": f"Customer{n:07d}=",
            "topic": topic,
            "userId": f"c{n}",
            "entityType": "customer",
            "createdAt": moment,
            "ttl": int(backend.clock.time()) + 3600,
        }
        for n in range(number)
    )


def _foreign_rows(backend: Backend, merchant: Device) -> Ratio:
    def subscribe() -> None:
        answer = merchant.ask("SUBSCRIBE_ORDERS", businessId="b1")
        assert answer["type"] == "SUBSCRIBED", answer

    before = _median(subscribe)
    moment = backend.timestamp()
    backend.tables.subscriptions.put_all(
        {
            "subscriptionId": f"foreign-{n}",
            "connectionId": f"Foreign{n:08d}=",
            "topic": f"weather-{n % 50}",
            "userId": f"u{n}",
            "createdAt": moment,
        }
        for n in range(FOREIGN_ROWS)
    )
    after = _median(subscribe)
    backend.queue.clear()
    return Ratio(
        what=f"SUBSCRIBE_ORDERS, {FOREIGN_ROWS:,} foreign rows",
        ours=after * 1000,
        peer=before * 1000,
        unit="ms",
        against="no foreign rows",
        goal=Goal.AT_MOST,
        bound=1.2,
    )


def _import() -> Ratio:
    """What a new container does before its first message, beside boto3 doing the same."""
    client = "region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='x'"
    ours = "import lambdas.websocket\nfrom lambdas import clients\nclients.dynamodb()"
    theirs = f"import boto3\nboto3.client('dynamodb', {client})"
    _start(ours)  # Byte code is made once.
    _start(theirs)
    times = [(_start(ours), _start(theirs)) for _ in range(IMPORTS)]
    return Ratio(
        what="cold import and DynamoDB client",
        ours=min(mine for mine, _ in times) * 1000,
        peer=min(other for _, other in times) * 1000,
        unit="ms",
        against="boto3 and a client",
        goal=Goal.AT_MOST,
        bound=1.25,
    )


def _start(program: str) -> float:
    """Seconds that a program takes in a new interpreter, the interpreter's own start left out."""
    timed = (
        f"import time\nbegan = time.perf_counter()\n{program}\nprint(time.perf_counter() - began)"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    credentials = {
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = subprocess.run(
        [sys.executable, "-c", timed],
        env=kept | credentials,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def _alternate(one: Callable[[], None], other: Callable[[], None]) -> tuple[float, float]:
    """Medians of two actions taken in turn, so that both meet the same weather."""
    for action in (one, other) * 3:
        action()
    times = [(_time(one), _time(other)) for _ in range(ROUNDS)]
    return (
        statistics.median(first for first, _ in times),
        statistics.median(second for _, second in times),
    )


def _median(action: Callable[[], None]) -> float:
    for _ in range(3):
        action()
    return statistics.median(_time(action) for _ in range(ROUNDS))


def _time(action: Callable[[], None]) -> float:
    began = perf_counter()
    action()
    return perf_counter() - began
