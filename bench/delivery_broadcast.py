"""A broadcast to 1,000 open sockets of the sandbox cloud, until the last client has it.

Beside what AWS's simple chat sample does, in Python: a scan, then a post by boto3 to each, 50 at
once. Ours queues the event and lets one worker at a time take its shares. Both are bounded by how
fast the emulator posts.
"""

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import time

import boto3
from botocore.config import Config
from msgspec import Raw

from bench.ratio import Goal, Ratio
from bench.sockets import Crowd, crowd
from lambdas.catalogue import Env
from lambdas.rows import OURS, iso, subscription_id
from sandbox import cloud as sandbox_cloud
from sandbox.cloud import Cloud
from sandbox.platform import ensure
from sandbox.platform.tables import STAGE
from tests.gateway.queues import Queue
from tests.gateway.tables import Table

NUMBER = 1000
ROUNDS = 5
TOPIC = "merchant_status_bench"
BODY = json.dumps({"type": "MERCHANT_STATUS_CHANGE", "data": "x" * 200}).encode()
CONNECTIONS = f"WizzUser_websocket_connections_{STAGE}"
SUBSCRIPTIONS = f"WizzUser_websocket_subscriptions_{STAGE}"


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as home:
        cloud = sandbox_cloud.start(Path(home), tied=True)
        try:
            return _run(cloud)
        finally:
            cloud.stop()


def _run(cloud: Cloud) -> list[Ratio]:
    platform = ensure(cloud)
    path = f"/_aws/execute-api/{platform.api_id}/{platform.stage}"
    queue = Queue.create(cloud)
    os.environ.update(
        {
            **cloud.environment(),
            Env.CONNECTIONS_TABLE: CONNECTIONS,
            Env.SUBSCRIPTIONS_TABLE: SUBSCRIPTIONS,
            Env.FANOUT_QUEUE_URL: queue.url,
            Env.ENDPOINT: cloud.endpoint + path,
        }
    )
    with crowd(cloud.endpoint.replace("http", "ws", 1) + path, NUMBER) as clients:
        _subscribe(cloud)
        sample = _best(clients, _sample(cloud, cloud.endpoint + path))
        ours = _best(clients, _ours(queue))
    return [
        Ratio(
            what="the last of 1,000 has it",
            ours=ours * 1000,
            peer=sample * 1000,
            unit="ms",
            against="scan and boto3, 50 at once",
            goal=Goal.AT_MOST,
            bound=0.5,
        )
    ]


def _best(clients: Crowd, broadcast: Callable[[int], None]) -> float:
    times: list[float] = []
    for number in range(ROUNDS):
        began = time()
        broadcast(number)
        times.append(clients.last_told() - began)
    return min(times)


def _sample(cloud: Cloud, endpoint: str) -> Callable[[int], None]:
    client = boto3.client(
        "apigatewaymanagementapi", endpoint_url=endpoint, config=Config(max_pool_connections=50)
    )
    dynamodb = cloud.client("dynamodb")

    def broadcast(_number: int) -> None:
        rows = dynamodb.scan(TableName=CONNECTIONS, ProjectionExpression="connectionId")["Items"]
        with ThreadPoolExecutor(50) as threads:
            for row in rows:
                threads.submit(
                    client.post_to_connection, ConnectionId=row["connectionId"]["S"], Data=BODY
                )

    return broadcast


def _ours(queue: Queue) -> Callable[[int], None]:
    from lambdas import fanout, jobs
    from lambdas.jobs import ANYONE, Anyone, Broadcast, Event

    def broadcast(number: int) -> None:
        event = Event(
            id=f"bench-{number}",
            type="MERCHANT_STATUS_CHANGE",
            occurred_at=int(time() * 1000),
            bodies={ANYONE: Raw(BODY)},
        )
        job = Broadcast(topic=TOPIC, event=event, audience=Anyone(), correlation_id="bench")
        with contextlib.redirect_stdout(io.StringIO()):
            jobs.enqueue(job)
            queue.drain(fanout.handler, batch=1)

    return broadcast


def _subscribe(cloud: Cloud) -> None:
    client = cloud.client("dynamodb")
    connections = Table(client=client, name=CONNECTIONS, key="connectionId")
    ids = [row["connectionId"] for row in connections.rows()]
    assert len(ids) == NUMBER
    now = time()
    Table(client=client, name=SUBSCRIPTIONS, key="subscriptionId").put_all(
        {
            "subscriptionId": subscription_id(one, TOPIC),
            "connectionId": one,
            "topic": TOPIC,
            "createdAt": iso(now),
            "ttl": int(now) + 3600,
            "writtenBy": OURS,
        }
        for one in ids
    )
