"""The provider as a process, spoken to as an engine speaks to it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import status_pb2
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from sandbox.aws.install import VERSION, install
from sandbox.aws.values import lift
from tests.sandbox.aws.examples import CODE, TRUST

ROOT = Path(__file__).resolve().parents[3]
ARCHIVE = {"4dabf18193072939515e22adb298388d": "0def7320c3a5731c473e5ecbe6d01bc7"}


class Plugin:
    def __init__(self, command: list[str], endpoint: str, cwd: Path) -> None:
        environment = {name: each for name, each in os.environ.items() if "AWS" not in name}
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**environment, "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self.stub = ResourceProviderStub(self.channel)

    def configure(self) -> pb.ConfigureResponse:
        return self.stub.Configure(pb.ConfigureRequest(args=wire(region="us-east-1")))

    def end(self) -> None:
        self.channel.close()
        self.process.kill()
        self.process.communicate()


def wire(**values: Any) -> struct_pb2.Struct:
    return lift(values)


def urn(token: str, name: str = "it") -> str:
    return f"urn:pulumi:dev::project::{token}::{name}"


FUNCTION = urn("aws:lambda/function:Function")
QUEUE = urn("aws:sqs/queue:Queue")


class Halting(BaseHTTPRequestHandler):
    """A cloud that takes a request and answers when it is let, or what `answers` says."""

    asked = threading.Event()
    let = threading.Event()
    answers: ClassVar[dict[str, tuple[int, bytes]]] = {}

    def do_POST(self) -> None:
        self.asked.set()
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if target not in self.answers:
            self.let.wait(30)
            return
        status, body = self.answers[target]
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def silent_cloud() -> Iterator[str]:
    Halting.asked, Halting.let = threading.Event(), threading.Event()
    Halting.answers = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Halting)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    Halting.let.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def offline_plugin(silent_cloud: str, tmp_path: Path) -> Iterator[Plugin]:
    command = [sys.executable, "-m", "sandbox.aws", "127.0.0.1:1"]
    plugin = Plugin(command, silent_cloud, ROOT)
    yield plugin
    plugin.end()


@pytest.fixture
def plugin(cloud: Any, tmp_path: Path) -> Iterator[Plugin]:
    command = [str(install(tmp_path) / "pulumi-resource-aws"), "127.0.0.1:1"]
    plugin = Plugin(command, cloud.endpoint, tmp_path)
    plugin.configure()
    yield plugin
    plugin.end()


def test_it_starts_from_the_place_where_the_cli_looks_and_in_any_folder(plugin: Plugin):
    assert plugin.stub.GetPluginInfo(empty_pb2.Empty()).version == VERSION


def test_installing_it_again_changes_nothing(tmp_path: Path):
    script = install(tmp_path) / "pulumi-resource-aws"
    before = script.stat()

    install(tmp_path)

    assert script.parent.name == f"resource-aws-v{VERSION}"
    assert script.stat().st_mtime_ns == before.st_mtime_ns
    assert [each.name for each in script.parent.iterdir()] == [script.name]


def test_an_error_is_a_sentence_without_a_traceback(offline_plugin: Plugin):
    offline_plugin.configure()

    with pytest.raises(grpc.RpcError) as refused:
        offline_plugin.stub.Check(pb.CheckRequest(urn=urn("aws:s3/bucket:Bucket")))

    assert "aws:s3/bucket:Bucket" in refused.value.details()
    assert "File" not in refused.value.details()


def test_an_endpoint_elsewhere_ends_the_configuration(tmp_path: Path):
    command = [sys.executable, "-m", "sandbox.aws", "127.0.0.1:1"]
    plugin = Plugin(command, "http://192.0.2.1:80", ROOT)

    with pytest.raises(grpc.RpcError) as refused:
        plugin.configure()
    plugin.end()

    assert "AWS_ENDPOINT_URL" in refused.value.details()


def test_an_archive_comes_back_with_its_hash_and_a_diff_does_without_its_contents(
    offline_plugin: Plugin,
):
    offline_plugin.configure()
    news = wire(role="r", handler="h", runtime="python3.11", code=CODE)
    news.fields["code"].struct_value.fields["hash"].string_value = "engine's own"

    checked = offline_plugin.stub.Check(pb.CheckRequest(urn=FUNCTION, news=news)).inputs

    assert checked.fields["code"] == news.fields["code"]
    elided, other = struct_pb2.Struct(), struct_pb2.Struct()
    for each in (elided, other):
        each.CopyFrom(checked)
        each.fields["code"].struct_value.Clear()
        each.fields["code"].struct_value.update(ARCHIVE)
    other.fields["codeSha256"].string_value = "another"
    same = offline_plugin.stub.Diff(pb.DiffRequest(urn=FUNCTION, olds=elided, news=elided))
    changed = offline_plugin.stub.Diff(pb.DiffRequest(urn=FUNCTION, olds=other, news=elided))
    assert same.changes == pb.DiffResponse.DIFF_NONE
    assert changed.changes == pb.DiffResponse.DIFF_SOME
    assert list(changed.diffs) == ["code"]


def test_a_changed_region_replaces_and_changed_tags_do_not(offline_plugin: Plugin):
    def ask(**news: Any) -> Any:
        olds = wire(region="us-east-1")
        return offline_plugin.stub.DiffConfig(pb.DiffRequest(olds=olds, news=wire(**news)))

    tagged = ask(region="us-east-1", defaultTags='{"tags": {"a": "b"}}')

    assert ask(region="us-east-1").changes == pb.DiffResponse.DIFF_NONE
    assert tagged.changes == pb.DiffResponse.DIFF_SOME
    assert not tagged.replaces
    assert list(ask(region="eu-west-1").replaces) == ["region"]


@pytest.mark.cloud
def test_a_resource_that_is_gone_is_told_by_the_absence_of_everything(plugin: Plugin):
    url = f"{plugin.process.pid}/no-such-queue"

    found = plugin.stub.Read(pb.ReadRequest(id=url, urn=QUEUE))

    assert found.id == ""
    assert not found.HasField("properties")


def test_a_resource_whose_creation_fails_halfway_is_handed_over_to_be_recorded(
    offline_plugin: Plugin,
):
    refusal = b'{"__type": "LimitExceededException", "message": "too many"}'
    Halting.answers = {"CreateLogGroup": (200, b"{}"), "PutRetentionPolicy": (400, refusal)}
    offline_plugin.configure()
    group = urn("aws:cloudwatch/logGroup:LogGroup")
    hidden = frozenset({("kmsKeyId",)})
    news = lift({"name": "/half", "retentionInDays": 7, "kmsKeyId": "hush"}, hidden)
    checked = offline_plugin.stub.Check(pb.CheckRequest(urn=group, news=news))

    with pytest.raises(grpc.RpcError) as refused:
        offline_plugin.stub.Create(pb.CreateRequest(urn=group, properties=checked.inputs))

    trailing = dict(refused.value.trailing_metadata())
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    told = pb.ErrorResourceInitFailed()
    assert status.details[0].Unpack(told)
    assert told.id == "/half"
    assert "too many" in told.reasons[0]
    assert told.properties.fields["retentionInDays"].number_value == 7
    assert told.properties.fields["kmsKeyId"] == news.fields["kmsKeyId"], "a secret stays one"


@pytest.mark.cloud
def test_calls_at_the_same_time_do_not_wait_for_each_other(plugin: Plugin, unique):
    role = urn("aws:iam/role:Role")
    requests = []
    for index in range(20):
        news = wire(name=unique(f"r{index}"), assumeRolePolicy=TRUST)
        checked = plugin.stub.Check(pb.CheckRequest(urn=role, news=news))
        requests.append(pb.CreateRequest(urn=role, properties=checked.inputs))

    made = [each.result() for each in [plugin.stub.Create.future(each) for each in requests]]

    assert len({each.id for each in made}) == 20


def test_a_cancel_ends_a_call_that_the_cloud_never_answers(
    offline_plugin: Plugin, monkeypatch: pytest.MonkeyPatch
):
    offline_plugin.configure()
    checked = offline_plugin.stub.Check(pb.CheckRequest(urn=QUEUE, news=wire(name="q")))
    creating = offline_plugin.stub.Create.future(
        pb.CreateRequest(urn=QUEUE, properties=checked.inputs)
    )
    assert Halting.asked.wait(30)

    offline_plugin.stub.Cancel(empty_pb2.Empty())

    with pytest.raises(grpc.RpcError) as ended:
        creating.result(timeout=30)
    assert "cancelled" in ended.value.details()


@pytest.mark.parametrize("each", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_even_with_a_call_in_flight(offline_plugin: Plugin, each):
    offline_plugin.configure()
    checked = offline_plugin.stub.Check(pb.CheckRequest(urn=QUEUE, news=wire(name="q")))
    creating = offline_plugin.stub.Create.future(
        pb.CreateRequest(urn=QUEUE, properties=checked.inputs)
    )
    assert Halting.asked.wait(30)

    offline_plugin.process.send_signal(each)

    assert offline_plugin.process.wait(30) == 0
    with pytest.raises(grpc.RpcError):
        creating.result(timeout=30)
