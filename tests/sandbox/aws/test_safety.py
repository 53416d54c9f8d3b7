"""Nothing but a cloud on this machine is ever talked to, whatever the surroundings say."""

import socket
import ssl
from pathlib import Path

import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.aws.errors import ProviderError
from sandbox.aws.session import EndpointRefusedError, Session, loopback
from sandbox.aws.values import lift
from tests.sandbox.aws.driver import Driver


@pytest.mark.parametrize(
    "endpoint",
    ["http://127.0.0.1:4566", "http://127.8.9.1:1/", "http://localhost:4566", "http://[::1]:4566"],
)
def test_an_endpoint_on_this_machine_is_taken(endpoint):
    assert loopback(endpoint) == endpoint.rstrip("/")


@pytest.mark.parametrize(
    "endpoint",
    [
        None,
        "",
        "127.0.0.1:4566",
        "http://127.0.0.1",
        "https://sqs.us-east-1.amazonaws.com:443",
        "http://0.0.0.0:4566",
        "http://192.168.1.7:4566",
        "http://localhost.example.com:4566",
        "http://127.0.0.1.nip.io:4566",
        "http://localhost@example.com:80",
        "http://user@127.0.0.1:80",
        "http://2130706433:80",
        "ftp://127.0.0.1:21",
        "http://[::1",
        "http://127.0.0.1:notaport",
    ],
)
def test_every_other_endpoint_is_refused_and_named(endpoint, tmp_path: Path):
    driver = Driver({}, tmp_path)
    environment = {"AWS_REGION": "us-east-1"} | ({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})
    driver.provider._environment = environment

    with pytest.raises(EndpointRefusedError) as refused:
        driver.configure()

    assert "AWS_ENDPOINT_URL" in str(refused.value)
    with pytest.raises(ProviderError, match="not configured"):
        driver.create("aws:sqs/queue:Queue", "q")


@pytest.mark.cloud
def test_no_setting_of_the_surroundings_leads_a_call_elsewhere(
    cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unique
):
    config = tmp_path / "config"
    config.write_text(
        "[default]\nendpoint_url = http://192.0.2.1:1\nregion = mars-1\nuse_fips_endpoint = true\n"
        "services = s\n[services s]\nsqs =\n  endpoint_url = http://192.0.2.2:1\n"
    )
    (tmp_path / "credentials").write_text("[default]\ncredential_process = false\n")
    for name, value in {
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL": "http://192.0.2.3:1",
        "AWS_ENDPOINT_URL_SQS": "http://192.0.2.4:1",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_USE_DUALSTACK_ENDPOINT": "true",
        "AWS_CA_BUNDLE": "/nowhere",
        "HTTP_PROXY": "http://192.0.2.5:1",
        "http_proxy": "http://192.0.2.5:1",
        "ALL_PROXY": "http://192.0.2.5:1",
    }.items():
        monkeypatch.setenv(name, value)
    met: set[str] = set()
    connect = socket.socket.connect

    def watched(self: socket.socket, address):
        met.add(str(address[0]) if isinstance(address, tuple) else str(address))
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    monkeypatch.setattr(ssl, "create_default_context", lambda *_, **__: pytest.fail("no TLS here"))
    driver = Driver(cloud.environment(), tmp_path)

    queue = driver.create("aws:sqs/queue:Queue", unique("q"))
    table = driver.create(
        "aws:dynamodb/table:Table",
        unique("t"),
        hashKey="a",
        billingMode="PAY_PER_REQUEST",
        attributes=[{"name": "a", "type": "S"}],
    )
    driver.invoke("aws:dynamodb/getTable:getTable", name=table.id)
    for each in (queue, table):
        driver.delete(each)

    assert met == {"127.0.0.1"}


def test_credentials_of_a_program_are_set_aside_with_a_notice(
    offline: Driver, capsys: pytest.CaptureFixture[str]
):
    offline.configure(profile="production", secretKey="very-secret", region="us-east-1")

    (notice,) = capsys.readouterr().err.splitlines()
    assert "profile" in notice
    assert "secretKey" in notice
    assert "very-secret" not in notice
    assert "production" not in notice


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("endpoints", '[{"sqs": "http://192.0.2.1"}]'),
        ("assumeRoles", '[{"roleArn": "arn:aws:iam::1:role/r"}]'),
        ("allowedAccountIds", '["123456789012"]'),
        ("httpProxy", "http://192.0.2.1"),
        ("noSuchSetting", "x"),
    ],
)
def test_settings_that_cannot_be_honoured_are_refused_by_name(offline: Driver, name, value):
    request = pb.CheckRequest(urn="urn", news=lift({name: value, "region": "us-east-1"}))
    failures = offline.provider.check_config(request).failures

    assert [each.property for each in failures] == [name]
    with pytest.raises(ProviderError, match=name):
        offline.configure(**{name: value})


def test_a_cloud_that_does_not_answer_is_named_with_the_way_out(offline: Driver):
    with pytest.raises(ProviderError, match=r"http://127\.0\.0\.1:9 .*make up"):
        offline.create("aws:sqs/queue:Queue", "q")


def test_a_look_up_says_so_too(offline: Driver):
    with pytest.raises(ProviderError, match=r"http://127\.0\.0\.1:9 .*make up"):
        offline.invoke("aws:dynamodb/getTable:getTable", name="t")


def test_a_client_is_made_once_per_service_and_region():
    session = Session(endpoint="http://127.0.0.1:9", region="us-east-1", default_tags={})

    assert session.api("sqs") is session.api("sqs", "us-east-1")
    assert session.api("sqs") is not session.api("sqs", "eu-west-1")
