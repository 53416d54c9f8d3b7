"""A broadcast to 1,000 open sockets of the sandbox cloud, until the last client has it.

The peer is the broadcast of AWS's simple chat sample (github.com/aws-samples, simple-websockets-
chat-app). With CHAT_SAMPLE naming the folder of its `sendmessage` handler and the packages that it
imports, the handler itself runs, under node. Without it a stand-in in Python does what it does: one
scan of the whole table of connections, a client of its own for every broadcast, all posts at once
over the 50 kept-alive connections that the JavaScript SDK opens at most. The stand-in posts by
boto3, which takes about twice the SDK's processor time, and so is somewhat slower than the sample.

Ours queues the event and lets one worker at a time take its shares; it too begins without a
connection. Both are bounded by how fast the emulator posts. The second row is all of our road, with
our Lambdas on the emulator: from the merchant's message through two Lambdas and the queue, beside
the same handler alone.
"""

import contextlib
import io
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import time
from typing import Any

import boto3
from botocore.config import Config
from msgspec import Raw

from bench.ratio import Goal, Ratio
from bench.sockets import Crowd, crowd
from lambdas.catalogue import Env
from lambdas.rows import OURS, iso, status_topic, subscription_id
from sandbox import cloud as sandbox_cloud
from sandbox.cloud import Cloud
from sandbox.platform.tables import CONNECTIONS, SUBSCRIPTIONS
from tests.gateway.devices import Device
from tests.gateway.emulated import Emulated, deploy
from tests.gateway.queues import Queue

NUMBER = 1000
ROUNDS = 7
AT_ONCE = 50
BODY = json.dumps({"type": "MERCHANT_STATUS_CHANGE", "data": "x" * 200})
RUNNER = Path(__file__).with_name("chat_sample.mjs")

Broadcast = Callable[[int], None]
"""Tells everyone, in the round of this number."""


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as home:
        cloud = sandbox_cloud.start(Path(home), tied=True)
        try:
            return _run(cloud)
        finally:
            cloud.stop()


def _run(cloud: Cloud) -> list[Ratio]:
    emulated = deploy(cloud)
    queue = Queue.create(cloud)
    endpoint = emulated.url.replace("ws", "http", 1)
    os.environ.update(
        {
            **cloud.environment(),
            Env.CONNECTIONS_TABLE: CONNECTIONS.name,
            Env.SUBSCRIPTIONS_TABLE: SUBSCRIPTIONS.name,
            Env.FANOUT_QUEUE_URL: queue.url,
            Env.ENDPOINT: endpoint,
        }
    )
    folder = os.environ.get("CHAT_SAMPLE")
    business = str(emulated.platform.user("merchant1").business_id)
    with contextlib.ExitStack() as stack:
        clients = stack.enter_context(crowd(emulated.url, NUMBER))
        _subscribe(emulated, status_topic(business))
        if folder:
            peer = stack.enter_context(_sample(Path(folder), endpoint))
        else:
            peer = _stand_in(cloud, endpoint)
        merchant = stack.enter_context(Device(url=emulated.url))
        emulated.register(merchant, "merchant1")
        ours = _ours(queue, status_topic(business))
        times = _best(clients, peer, ours, _toggle(merchant, business))
    against = "the sample itself" if folder else "a stand-in for the sample"
    return [
        _ratio("the last of 1,000 has it", times[1], times[0], against, Goal.AT_MOST),
        _ratio("the same, from the merchant's message", times[2], times[0], against, Goal.SHOWN),
    ]


def _ratio(what: str, ours: float, peer: float, against: str, goal: Goal) -> Ratio:
    return Ratio(
        what=what,
        ours=ours * 1000,
        peer=peer * 1000,
        unit="ms",
        against=against,
        goal=goal,
        bound=0.5,
    )


def _best(clients: Crowd, *broadcasts: Broadcast) -> list[float]:
    """The best time of each, taken in turn, so that all meet the same weather."""
    times: list[list[float]] = [[] for _ in broadcasts]
    for number in range(ROUNDS):
        for broadcast, taken in zip(broadcasts, times, strict=True):
            began = time()
            broadcast(number)
            taken.append(clients.last_told() - began)
    return [min(taken) for taken in times]


# --- The peer -------------------------------------------------------------------------------------


@contextlib.contextmanager
def _sample(folder: Path, endpoint: str) -> Iterator[Broadcast]:
    event = {
        "requestContext": {"apiId": "bench", "stage": "bench", "connectionId": "bench"},
        "body": json.dumps({"data": BODY}),
    }
    with subprocess.Popen(
        ["node", str(RUNNER), str(folder.resolve()), endpoint],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TABLE_NAME": CONNECTIONS.name},
        text=True,
    ) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        answers, events = node.stdout, node.stdin

        def broadcast(_number: int) -> None:
            print(json.dumps(event), file=events, flush=True)
            answer: Any = json.loads(answers.readline())
            assert answer["statusCode"] == 200, answer

        yield broadcast


def _stand_in(cloud: Cloud, endpoint: str) -> Broadcast:
    config = Config(max_pool_connections=AT_ONCE)
    # Made ahead: it takes boto3 long, and the JavaScript SDK no time.
    posting = [
        boto3.client("apigatewaymanagementapi", endpoint_url=endpoint, config=config)
        for _ in range(ROUNDS)
    ]
    dynamodb = cloud.client("dynamodb")

    def broadcast(number: int) -> None:
        answer = dynamodb.scan(TableName=CONNECTIONS.name, ProjectionExpression="connectionId")
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for row in answer["Items"]:
                threads.submit(
                    posting[number].post_to_connection,
                    ConnectionId=row["connectionId"]["S"],
                    Data=BODY.encode(),
                )

    return broadcast


# --- Ours -----------------------------------------------------------------------------------------


def _ours(queue: Queue, topic: str) -> Broadcast:
    from lambdas import fanout, jobs
    from lambdas.jobs import ANYONE, Anyone, Event
    from lambdas.management import _management

    def broadcast(number: int) -> None:
        _management.cache_clear()
        event = Event(
            id=f"bench-{number}",
            type="MERCHANT_STATUS_CHANGE",
            occurred_at=int(time() * 1000),
            bodies={ANYONE: Raw(BODY.encode())},
        )
        job = jobs.Broadcast(topic=topic, event=event, audience=Anyone(), correlation_id="bench")
        with contextlib.redirect_stdout(io.StringIO()):
            jobs.enqueue(job)
            queue.drain(fanout.handler, batch=1)

    return broadcast


def _toggle(merchant: Device, business: str) -> Broadcast:
    def broadcast(number: int) -> None:
        is_active = (
            number % 2 == 1
        )  # It is open to begin with, and what is already so tells nobody.
        answer = merchant.ask("BUSINESS_STATUS_UPDATE", businessId=business, isActive=is_active)
        assert answer["type"] == "BUSINESS_STATUS_UPDATED", answer

    return broadcast


def _subscribe(emulated: Emulated, topic: str) -> None:
    ids = [row["connectionId"] for row in emulated.table(CONNECTIONS.name).rows()]
    assert len(ids) == NUMBER
    now = time()
    emulated.table(SUBSCRIPTIONS.name).put_all(
        {
            "subscriptionId": subscription_id(one, topic),
            "connectionId": one,
            "topic": topic,
            "createdAt": iso(now),
            "ttl": int(now) + 3600,
            "writtenBy": OURS,
        }
        for one in ids
    )
