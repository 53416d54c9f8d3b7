"""Posts to many connections: our client beside boto3 and the fastest clients we know of.

One core for the client, another for an endpoint that answers after 20 ms; bodies of 600 bytes, no
TLS. Every client signs each post by itself. aiohttp and pycurl take part where they are installed.
"""

import asyncio
import importlib.util
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic, perf_counter
from typing import Any
from urllib.parse import quote, urlsplit

from bench.management_stub import in_process
from bench.ratio import Goal, Ratio
from lambdas.signing import Credentials, Signer, body_hash

LATENCY = 0.02
BODY = b"x" * 600
FEW = 100
"""Posts of a client that makes one after another."""
MANY = 4000
ROUNDS = 3

Poster = Callable[[str, Sequence[str]], None]


def run() -> list[Ratio]:
    os.environ.update(
        AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_REGION="us-east-1"
    )
    cores = os.sched_getaffinity(0)
    with in_process(LATENCY, core=max(cores)) as endpoint:
        os.sched_setaffinity(0, {min(cores)})
        try:
            speeds = {
                name: _speed(poster, endpoint, count) for name, (poster, count) in _peers().items()
            }
        finally:
            os.sched_setaffinity(0, cores)
    ours, sequential = speeds.pop("ours"), speeds.pop("boto3, one after another")
    fastest = max(speeds, key=lambda name: speeds[name])
    ratios = [
        Ratio(
            what="posts",
            ours=ours,
            peer=sequential,
            unit="1/s",
            against="boto3, one after another",
            goal=Goal.AT_LEAST,
            bound=30,
        )
    ]
    for name, speed in speeds.items():
        bounded = name == fastest
        ratios.append(
            Ratio(
                what="posts",
                ours=ours,
                peer=speed,
                unit="1/s",
                against=f"{name} (the fastest)" if bounded else name,
                goal=Goal.AT_LEAST if bounded else Goal.SHOWN,
                bound=1 / 1.5 if bounded else 0,
            )
        )
    return ratios


def _peers() -> dict[str, tuple[Poster, int]]:
    peers: dict[str, tuple[Poster, int]] = {
        "boto3, one after another": (_boto3(1), FEW),
        "boto3, 32 threads": (_boto3(32), MANY // 4),
        "urllib3 and botocore's signer, 64 threads": (_urllib3(64, botocore=True), MANY // 2),
        "urllib3 and our signer, 128 threads": (_urllib3(128, botocore=False), MANY),
        "ours": (_ours, MANY),
    }
    for name, poster in (("aiohttp", _aiohttp), ("pycurl", _pycurl)):
        if importlib.util.find_spec(name) is not None:
            peers[f"{name}, 256 at once, our signer"] = (poster, MANY)
    return peers


def _speed(poster: Poster, endpoint: str, count: int) -> float:
    ids = [f"R0oXAdf{number:06d}=" for number in range(count)]
    poster(endpoint, ids[: count // 4])
    best = float("inf")
    for _ in range(ROUNDS):
        began = perf_counter()
        poster(endpoint, ids)
        best = min(best, perf_counter() - began)
    return count / best


# --- Clients --------------------------------------------------------------------------------------


def _ours(endpoint: str, ids: Sequence[str]) -> None:
    from lambdas.management import Outcome, Post, _management

    posts = [Post(connection_id, BODY) for connection_id in ids]
    outcomes = _management(endpoint).post_all(posts, deadline=monotonic() + 60)
    assert set(outcomes) == {Outcome.DELIVERED}


def _boto3(threads: int) -> Poster:
    import boto3
    from botocore.config import Config

    clients: dict[str, Any] = {}

    def poster(endpoint: str, ids: Sequence[str]) -> None:
        client = clients.setdefault(
            endpoint,
            boto3.client(
                "apigatewaymanagementapi",
                endpoint_url=endpoint,
                region_name="us-east-1",
                config=Config(max_pool_connections=threads),
            ),
        )
        _in_threads(
            threads, ids, lambda one: client.post_to_connection(ConnectionId=one, Data=BODY)
        )

    return poster


def _urllib3(threads: int, *, botocore: bool) -> Poster:
    import urllib3
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as BotocoreCredentials

    pool = urllib3.PoolManager(maxsize=threads, block=True)
    signer = SigV4Auth(BotocoreCredentials("test", "test"), "execute-api", "us-east-1")

    def poster(endpoint: str, ids: Sequence[str]) -> None:
        sign = _signer(endpoint)

        def post(connection_id: str) -> None:
            if botocore:
                url = f"{endpoint}/%40connections/{quote(connection_id, safe='')}"
                request = AWSRequest("POST", url, data=BODY)
                signer.add_auth(request)
                headers = dict(request.headers.items())
            else:
                path, lines = sign(connection_id)
                url = endpoint.removesuffix("/dev") + path
                headers = dict(line.split(": ", 1) for line in lines.splitlines())
            answer = pool.request("POST", url, body=BODY, headers=headers, retries=False)
            assert answer.status == 200

        _in_threads(threads, ids, post)

    return poster


def _aiohttp(endpoint: str, ids: Sequence[str]) -> None:
    import aiohttp  # pyright: ignore[reportMissingImports]
    from yarl import URL  # pyright: ignore[reportMissingImports]

    sign = _signer(endpoint)
    base = endpoint.removesuffix("/dev")

    async def all_of_them() -> None:
        turn = iter(ids)
        connector = aiohttp.TCPConnector(limit=256)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def work() -> None:
                for one in turn:
                    path, lines = sign(one)
                    headers = dict(line.split(": ", 1) for line in lines.splitlines())
                    url = URL(base + path, encoded=True)
                    async with session.post(url, data=BODY, headers=headers) as answer:
                        await answer.read()

            await asyncio.gather(*(work() for _ in range(256)))

    asyncio.run(all_of_them())


def _pycurl(endpoint: str, ids: Sequence[str]) -> None:
    import pycurl  # pyright: ignore[reportMissingImports]

    sign = _signer(endpoint)
    base = endpoint.removesuffix("/dev")
    multi = pycurl.CurlMulti()
    idle = []
    for _ in range(256):
        handle = pycurl.Curl()
        handle.setopt(pycurl.WRITEFUNCTION, lambda _: None)
        handle.setopt(pycurl.POSTFIELDS, BODY)
        idle.append(handle)
    turn, left = iter(ids), len(ids)
    while left:
        while idle and (one := next(turn, None)) is not None:
            path, lines = sign(one)
            handle = idle.pop()
            handle.setopt(pycurl.URL, base + path)
            handle.setopt(pycurl.HTTPHEADER, [*lines.splitlines(), "Content-Type:"])
            multi.add_handle(handle)
        multi.perform()
        _, done, failed = multi.info_read()
        assert not failed
        for handle in done:
            multi.remove_handle(handle)
            idle.append(handle)
            left -= 1
        if not done:
            multi.select(0.01)


def _signer(endpoint: str) -> Callable[[str], tuple[str, str]]:
    parts = urlsplit(endpoint)
    signer = Signer(
        credentials=Credentials(access_key="test", secret_key="test", token=None),
        region="us-east-1",
        host=parts.netloc,
        moment="20260101T000000Z",
    )
    digest = body_hash(BODY)

    def sign(connection_id: str) -> tuple[str, str]:
        path = f"{parts.path}/%40connections/{quote(connection_id, safe='')}"
        return path, signer.headers(path, digest)

    return sign


def _in_threads(threads: int, ids: Sequence[str], post: Callable[[str], object]) -> None:
    turn: Iterator[str] = iter(ids)
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                one = next(turn, None)
            if one is None:
                return
            post(one)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
