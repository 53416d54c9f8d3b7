"""The management endpoint answers as AWS does: 200, 400, 403, 410, 413, and what a test injects."""

import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.gateway import limits
from tests.gateway.devices import Device
from tests.gateway.events import new_connection_id
from tests.gateway.faults import PostFault
from tests.gateway.routes import Route
from tests.gateway.server import Gateway


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway(routes={}) as running:
        yield running


def management(gateway: Gateway, *, secret: str = "test") -> Any:
    return boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=gateway.management_endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=5, proxies={}),
    )


def status_of(call: Any, **arguments: Any) -> int:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_post_arrives_as_text(gateway: Gateway) -> None:
    with Device(url=gateway.url) as device:
        id_ = gateway.live_connections()[0]
        management(gateway).post_to_connection(ConnectionId=id_, Data=b'{"type": "HELLO"}')
        device.expect("HELLO")
        assert device.raw_inbox == ['{"type": "HELLO"}']


def test_a_connection_is_described_and_deleted(gateway: Gateway) -> None:
    client = management(gateway)
    with Device(url=gateway.url) as device:
        id_ = gateway.live_connections()[0]
        assert client.get_connection(ConnectionId=id_)["Identity"]["SourceIp"] == "127.0.0.1"
        client.delete_connection(ConnectionId=id_)
        assert device.wait_closed()[0] == 1000
    assert status_of(client.post_to_connection, ConnectionId=id_, Data=b"x") == 410


def test_an_unknown_connection_is_gone(gateway: Gateway) -> None:
    client = management(gateway)
    with pytest.raises(client.exceptions.GoneException):
        client.post_to_connection(ConnectionId=new_connection_id(), Data=b"x")


def test_an_id_of_the_wrong_shape_is_a_bad_request(gateway: Gateway) -> None:
    post = management(gateway).post_to_connection
    assert status_of(post, ConnectionId="VIRTUAL_b1#m1", Data=b"x") == 400


def test_a_post_over_128_kb_is_too_large_and_one_of_128_kb_arrives(gateway: Gateway) -> None:
    client = management(gateway)
    with Device(url=gateway.url) as device:
        id_ = gateway.live_connections()[0]
        text = '"' + "x" * (limits.MESSAGE_BYTES - 2) + '"'
        assert (
            status_of(client.post_to_connection, ConnectionId=id_, Data=text.encode() + b" ") == 413
        )
        client.post_to_connection(ConnectionId=id_, Data=text.encode())
        device.wait_raw(1)
        assert device.raw_inbox == [text]


def test_a_wrong_secret_is_forbidden(gateway: Gateway) -> None:
    post = management(gateway, secret="other").post_to_connection
    assert status_of(post, ConnectionId=new_connection_id(), Data=b"x") == 403


def test_nothing_can_be_posted_before_connect_has_finished() -> None:
    started, go_on = threading.Event(), threading.Event()
    ids: list[str] = []

    def connect(event: dict[str, Any], _context: object) -> dict[str, Any]:
        ids.append(event["requestContext"]["connectionId"])
        started.set()
        go_on.wait(10)
        return {"statusCode": 200}

    with Gateway(routes={"$connect": Route(handler=connect)}) as gateway:
        post = management(gateway).post_to_connection
        opened = threading.Thread(target=lambda: Device(url=gateway.url).__enter__().close())
        opened.start()
        assert started.wait(10)
        assert status_of(post, ConnectionId=ids[0], Data=b"x") == 410
        go_on.set()
        opened.join()


@pytest.mark.parametrize("status", [429, 500])
def test_an_injected_fault_is_answered_as_often_as_asked(gateway: Gateway, status: int) -> None:
    client = management(gateway)
    with Device(url=gateway.url) as device:
        id_ = gateway.live_connections()[0]
        gateway.faults.fail_posts(id_, PostFault(status=status), times=2)
        for _ in range(2):
            assert status_of(client.post_to_connection, ConnectionId=id_, Data=b"{}") == status
        client.post_to_connection(ConnectionId=id_, Data=b"{}")
        device.wait_raw(1)
        assert [post.status for post in gateway.posts] == [status, status, 200]


def test_an_answer_can_be_lost_after_the_delivery(gateway: Gateway) -> None:
    with Device(url=gateway.url) as device:
        id_ = gateway.live_connections()[0]
        gateway.faults.fail_posts(id_, PostFault(status=None, deliver=True))
        with pytest.raises(ConnectionClosedError):
            management(gateway).post_to_connection(ConnectionId=id_, Data=b"{}")
        device.wait_raw(1)


def test_a_proxy_answers_without_an_error_type(gateway: Gateway) -> None:
    client = management(gateway)
    with Device(url=gateway.url):
        id_ = gateway.live_connections()[0]
        gateway.faults.fail_posts(id_, PostFault(status=410, typed=False))
        with pytest.raises(ClientError) as refused:
            client.post_to_connection(ConnectionId=id_, Data=b"{}")
        assert refused.value.response["Error"]["Code"] == "410"
