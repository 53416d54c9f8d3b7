"""A broadcast to 1,000 open sockets of the sandbox cloud, until the last client has it.

The peer is the broadcast of AWS's simple chat sample (github.com/aws-samples, simple-websockets-
chat-app), on the same emulator. With CHAT_SAMPLE naming the folder of its `sendmessage` handler and
the packages that it imports, the handler itself is the Lambda, under node. Without it a stand-in in
Python does what it does: one scan of the whole table of connections, and all posts at once over the
50 kept-alive connections that the JavaScript SDK opens at most.

Both roads begin with a client's message. Ours is a merchant's toggle, and leads through two Lambdas
and the queue. The emulator needs longer for a post than whoever asks for it, so the last two rows
show what of the time is its own: there the peer, and then "ours", does nothing but post, with bytes
made ahead over plain sockets. Where that alone takes half of the sample's time, so much as reading
whom to tell misses the goal.
"""

import contextlib
import io
import itertools
import json
import os
import selectors
import socket
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import time
from urllib.parse import quote, urlsplit

from msgspec import Raw

from bench.ratio import Goal, Ratio
from bench.sockets import Crowd, crowd
from lambdas.catalogue import Env
from lambdas.rows import OURS, iso, status_topic, subscription_id
from sandbox import cloud as sandbox_cloud
from sandbox.cloud import Cloud
from sandbox.platform.tables import CONNECTIONS, SUBSCRIPTIONS
from tests.gateway.devices import Device
from tests.gateway.emulated import Emulated, create_function, deploy, packed, serve
from tests.gateway.queues import Queue

NUMBER = 1000
ROUNDS = 9
WIRES = 8
BODY = json.dumps({"type": "MERCHANT_STATUS_CHANGE", "data": "x" * 200})
SAMPLE = Path(__file__).with_name("peers") / "chat_sample.mjs"
STAND_IN = Path(__file__).with_name("peers") / "chat_stand_in.py"
ROUTE = "sendmessage"

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
            Env.CONNECTIONS_TABLE: CONNECTIONS,
            Env.SUBSCRIPTIONS_TABLE: SUBSCRIPTIONS,
            Env.FANOUT_QUEUE_URL: queue.url,
            Env.ENDPOINT: endpoint,
        }
    )
    folder = os.environ.get("CHAT_SAMPLE")
    peer = "the sample itself" if folder else "a stand-in for the sample"
    _deploy_sample(emulated, endpoint, Path(folder) if folder else None)
    business = str(emulated.platform.user("merchant1").business_id)
    with contextlib.ExitStack() as stack:
        clients = stack.enter_context(crowd(emulated.url, NUMBER))
        told = _subscribe(emulated, status_topic(business))
        merchant = stack.enter_context(Device(url=emulated.url))
        emulated.register(merchant, "merchant1")
        sample, ours, delivery, posts = _medians(
            clients,
            lambda _: merchant.send(ROUTE, data=BODY),
            _toggle(merchant, business),
            _ours(queue, status_topic(business)),
            _only_posts(endpoint, told),
        )
    message = "from the message to the last of 1,000"
    return [
        _ratio(message, ours, sample, peer, Goal.AT_MOST),
        _ratio("our worker alone", delivery, posts, "nothing but posts", Goal.SHOWN),
        _ratio("nothing but posts", posts, sample, peer, Goal.SHOWN),
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


def _medians(clients: Crowd, *broadcasts: Broadcast) -> list[float]:
    """The median time of each, taken in turn, so that all meet the same weather."""
    times: list[list[float]] = [[] for _ in broadcasts]
    for number in range(ROUNDS):
        for broadcast, taken in zip(broadcasts, times, strict=True):
            began = time()
            broadcast(number)
            taken.append(clients.last_told() - began)
    return [median(taken) for taken in times]


# --- The peers ------------------------------------------------------------------------------------


def _deploy_sample(emulated: Emulated, endpoint: str, folder: Path | None) -> None:
    """Serve a route of its own with the sample, or without its folder with what does the same."""
    if folder is None:
        files = {"index.py": STAND_IN}
    else:
        files = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
        files["index.mjs"] = SAMPLE
    function = create_function(
        emulated.cloud,
        "chat-sample",
        "index.handler",
        packed(files),
        {**emulated.cloud.environment(), "TABLE_NAME": CONNECTIONS, "ENDPOINT": endpoint},
        runtime="python3.12" if folder is None else "nodejs20.x",
    )
    serve(emulated.cloud, emulated.platform, function, [ROUTE])


def _only_posts(endpoint: str, connection_ids: Sequence[str]) -> Broadcast:
    url = urlsplit(endpoint)
    requests = [
        f"POST {url.path}/@connections/{quote(one, safe='')} HTTP/1.1\r\nHost: {url.netloc}\r\n"
        f"Content-Length: {len(BODY)}\r\n\r\n{BODY}".encode()
        for one in connection_ids
    ]

    def broadcast(_number: int) -> None:
        left = iter(requests)
        with contextlib.ExitStack() as stack:
            selector = stack.enter_context(selectors.DefaultSelector())
            for request in itertools.islice(left, WIRES):
                wire = socket.create_connection((url.hostname, url.port))
                selector.register(stack.enter_context(wire), selectors.EVENT_READ)
                wire.sendall(request)
            while selector.get_map():
                for key, _ in selector.select():
                    wire = key.fileobj
                    assert isinstance(wire, socket.socket)
                    assert wire.recv(65536).startswith(b"HTTP/1.1 200")
                    if request := next(left, None):
                        wire.sendall(request)
                    else:
                        selector.unregister(wire)

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


def _subscribe(emulated: Emulated, topic: str) -> list[str]:
    """Subscribe everyone who is connected; gives their connection ids."""
    ids = [row["connectionId"] for row in emulated.table(CONNECTIONS).rows()]
    assert len(ids) == NUMBER
    now = time()
    emulated.table(SUBSCRIPTIONS).put_all(
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
    return ids
