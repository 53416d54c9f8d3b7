"""The cloud starts, is found, survives, and leaves nothing behind."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox import cloud as clouds
from sandbox import home as homes
from sandbox.cloud import CloudNotRunningError, CloudNotStartedError
from sandbox.errors import SandboxError


def test_a_started_cloud_is_found_again_and_started_only_once(tmp_path):
    first = clouds.start(tmp_path)
    try:
        assert clouds.start(tmp_path).pid == first.pid
        assert clouds.connect(tmp_path).endpoint == first.endpoint
    finally:
        first.stop()
    with pytest.raises(CloudNotRunningError, match="make up"):
        clouds.connect(tmp_path)


def test_data_and_port_outlive_an_orderly_stop(tmp_path):
    first = clouds.start(tmp_path)
    first.client("sqs").create_queue(QueueName="kept")
    first.stop()
    second = clouds.start(tmp_path)
    try:
        assert second.port == first.port
        assert not second.lost
        assert second.client("sqs").list_queues()["QueueUrls"][0].endswith("/kept")
    finally:
        second.stop()


def test_a_killed_cloud_is_started_anew_and_says_that_it_lost_something(tmp_path):
    first = clouds.start(tmp_path)
    os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: not runs(first.pid))
    second = clouds.start(tmp_path)
    try:
        assert second.pid != first.pid
        assert second.lost
        second.forget_loss()
        assert not clouds.connect(tmp_path).lost
    finally:
        second.stop()


def test_a_cloud_that_does_not_answer_any_more_is_replaced(tmp_path):
    first = clouds.start(tmp_path)
    os.kill(first.pid, signal.SIGSTOP)
    second = clouds.start(tmp_path)
    try:
        assert second.pid != first.pid
        assert not runs(first.pid)
    finally:
        second.stop()


def test_a_recycled_pid_is_left_alone(tmp_path):
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    folder = tmp_path / "cloud"
    folder.mkdir()
    folder.joinpath("cloud.json").write_text(
        json.dumps({"port": 1, "pid": bystander.pid, "auth": False})
    )
    try:
        clouds.stop(tmp_path)
        assert bystander.poll() is None
        running = clouds.start(tmp_path)
        running.stop()
        assert bystander.poll() is None
    finally:
        bystander.communicate(b"\n")


def test_a_cloud_whose_folder_was_thrown_away_ends_by_itself(tmp_path):
    running = clouds.start(tmp_path)
    shutil.rmtree(tmp_path / "cloud")
    wait_until(lambda: not runs(running.pid), 30)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": 1, "surprise": 2}'])
def test_an_unreadable_record_is_no_obstacle(tmp_path, text):
    folder = tmp_path / "cloud"
    folder.mkdir()
    folder.joinpath("cloud.json").write_text(text)
    with pytest.raises(CloudNotRunningError):
        clouds.connect(tmp_path)
    assert clouds.stop(tmp_path) is False


def test_a_cloud_whose_record_was_spoilt_is_not_guessed_at(tmp_path):
    running = clouds.start(tmp_path)
    try:
        tmp_path.joinpath("cloud", "cloud.json").write_text("{")
        with pytest.raises(CloudNotRunningError):
            clouds.connect(tmp_path)
        with pytest.raises(SandboxError, match=r"does not say which process.*rm -r"):
            clouds.start(tmp_path)
    finally:
        os.kill(running.pid, signal.SIGTERM)
        wait_until(lambda: not runs(running.pid))


def test_two_that_start_at_once_get_the_same_cloud(tmp_path):
    with ThreadPoolExecutor() as threads:
        found = list(threads.map(lambda _: one_at_a_time(tmp_path), range(3)))
    assert len({cloud.pid for cloud in found}) == 1
    found[0].stop()


def one_at_a_time(home):
    with homes.one_at_a_time(home):
        return clouds.start(home)


def test_a_port_in_use_is_named(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SandboxError, match=f"port {port}: it is in use") as raised:
            clouds.start(tmp_path, port=port)
    assert "SANDBOX_PORT" in raised.value.way_out


def test_another_port_than_the_running_ones_is_refused(cloud):
    with pytest.raises(SandboxError, match=f"already runs on port {cloud.port}"):
        clouds.start(cloud.home, port=1)


def test_a_server_that_ends_at_once_shows_its_log(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(_failing_python(tmp_path)))
    with pytest.raises(CloudNotStartedError) as raised:
        clouds.start(tmp_path)
    assert "status 3" in str(raised.value)
    assert "no such luck" in raised.value.detail
    assert _recorded(tmp_path)["pid"] is None


def test_it_listens_on_loopback_only_and_starts_nothing_that_does_not(cloud):
    with socket.socket() as probe:
        probe.settimeout(2)
        assert probe.connect_ex(("127.0.0.1", cloud.port)) == 0
    for address in _own_addresses():
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex((address, cloud.port)) != 0


def test_it_takes_no_credentials_or_proxies_from_the_surroundings(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALLYREAL")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    running = clouds.start(tmp_path)
    try:
        assert running.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
        seen = Path(f"/proc/{running.pid}/environ")
        if seen.exists():
            assert b"AKIAREALLYREAL" not in seen.read_bytes()
            assert b"_PROXY" not in seen.read_bytes()
    finally:
        running.stop()


def test_a_tied_cloud_ends_with_a_parent_that_is_killed(tmp_path):
    program = (
        "import sys, pathlib, signal, os\n"
        "from sandbox import cloud\n"
        "print(cloud.start(pathlib.Path(sys.argv[1]), tied=True).pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    wait_until(lambda: not runs(int(parent.stdout)), 20)


def _recorded(home):
    return json.loads(home.joinpath("cloud", "cloud.json").read_text())


def _failing_python(folder):
    script = folder / "python"
    script.write_text("#!/bin/sh\necho no such luck\nsleep 0.1\nexit 3\n")
    script.chmod(0o755)
    return script


def _own_addresses():
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    except OSError:
        return []
    return sorted({info[4][0] for info in found} - {"127.0.0.1"})


def test_nothing_that_a_cloud_started_outlives_it(tmp_path):
    running = clouds.start(tmp_path)
    _invoke_something(running)
    group = _group(running.pid)
    assert len(group) > 1, "no Lambda worker was seen, so this would prove nothing"
    running.stop()
    wait_until(lambda: _group(running.pid) == [])


def test_workers_of_a_killed_cloud_go_with_it(tmp_path):
    running = clouds.start(tmp_path)
    _invoke_something(running)
    assert len(_group(running.pid)) > 1
    os.kill(running.pid, signal.SIGKILL)
    wait_until(lambda: _group(running.pid) == [])


def test_a_save_outlives_a_kill(tmp_path):
    first = clouds.start(tmp_path)
    url = first.client("sqs").create_queue(QueueName="saved")["QueueUrl"]
    first.save()
    wait_until(lambda: tmp_path.joinpath("cloud", "services", "sqs.json").exists())
    os.kill(first.pid, signal.SIGKILL)
    second = clouds.start(tmp_path)
    try:
        assert second.lost
        assert second.client("sqs").list_queues()["QueueUrls"] == [url]
    finally:
        second.stop()


def wait_until(condition, patience=10):
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _invoke_something(running):
    import io
    import zipfile

    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 1\n")
    functions = running.client("lambda")
    functions.create_function(
        FunctionName="something",
        Runtime="python3.11",
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/any",
        Code={"ZipFile": held.getvalue()},
    )
    assert functions.invoke(FunctionName="something")["Payload"].read() == b"1"


def _group(leader):
    listed = subprocess.run(["ps", "-eo", "pid=,pgid="], capture_output=True, text=True, check=True)
    pairs = (line.split() for line in listed.stdout.splitlines())
    return [int(pid) for pid, group in pairs if int(group) == leader and runs(int(pid))]


def runs(pid):
    """Whether a process is there and no zombie."""
    said = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
    return said.stdout.strip()[:1] not in {b"", b"Z"}
