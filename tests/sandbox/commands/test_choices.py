"""Which engine runs, what a program sees, and what the machine adds to the settings."""

import os
import sys

import pytest
import yaml

from sandbox import bring_up, engines, own_stack
from sandbox.bring_up import program_environment, shed_surroundings
from sandbox.errors import SandboxError
from sandbox.platform import ensure


@pytest.fixture(autouse=True)
def no_choice(monkeypatch):
    monkeypatch.delenv("ENGINE", raising=False)
    monkeypatch.setattr("shutil.which", lambda name: None)


def test_without_the_cli_the_built_in_engine_runs():
    assert engines.choose().name == "builtin"


def test_with_the_cli_it_runs(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/somewhere/{name}")
    assert engines.choose().name == "pulumi"
    assert engines.choose("builtin").name == "builtin"


def test_an_engine_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("ENGINE", "pulumi")
    with pytest.raises(SandboxError, match=r"no `pulumi` on PATH.*ENGINE=builtin"):
        engines.choose()
    monkeypatch.setenv("ENGINE", "terraform")
    with pytest.raises(SandboxError, match=r"ENGINE=terraform.*pulumi or builtin"):
        engines.choose()


def test_the_engine_that_deployed_goes_on_and_another_is_refused(tmp_path, monkeypatch):
    engines.remember(tmp_path, engines.choose())
    monkeypatch.setattr("shutil.which", lambda name: f"/somewhere/{name}")
    before = engines.remembered(tmp_path)
    assert engines.choose(before=before).name == "builtin"
    with pytest.raises(SandboxError, match=r"deployed by builtin.*make down"):
        engines.choose("pulumi", before=before)
    (tmp_path / "engine-name").write_text("something else")
    assert engines.remembered(tmp_path) is None


def test_a_program_sees_no_account_and_no_proxy_before_the_cloud(cloud, monkeypatch):
    around = {
        "AWS_PROFILE": "production",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_ENDPOINT_URL_SQS": "https://elsewhere.example",
        "NO_PROXY": "internal.example",
    }
    monkeypatch.setattr(os, "environ", around)
    shed_surroundings(program_environment(cloud))
    seen = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    assert seen == cloud.environment()
    assert os.environ["NO_PROXY"] == "127.0.0.1,localhost,internal.example"


def test_the_machine_adds_what_only_it_knows(cloud):
    platform = ensure(cloud)
    written = yaml.safe_load(own_stack.write_effective(cloud, platform).read_text())["config"]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert written["order-receiver:lambdaRuntime"] == version
    assert written["order-receiver:lambdaArchitecture"] in {"arm64", "x86_64"}
    pools = written["order-receiver:userPools"]
    assert {pool["entityType"] for pool in pools} == {"merchant", "customer", "driver"}
    assert all(pool["jwksUrl"].startswith(cloud.endpoint) for pool in pools)
    committed = yaml.safe_load((own_stack.ROOT / "Pulumi.sandbox.yaml").read_text())["config"]
    assert committed.items() <= written.items()


@pytest.mark.parametrize(
    ("text", "reason"),
    [("config: [", "is not YAML"), ("config: text", "no `config:` mapping"), (None, "be read")],
)
def test_a_settings_file_that_cannot_be_used_is_named(cloud, tmp_path, monkeypatch, text, reason):
    platform = ensure(cloud)
    monkeypatch.setattr(own_stack, "ROOT", tmp_path)
    if text is not None:
        tmp_path.joinpath("Pulumi.sandbox.yaml").write_text(text)
    with pytest.raises(SandboxError, match=rf"Pulumi\.sandbox\.yaml.*{reason}"):
        own_stack.write_effective(cloud, platform)


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "4566.5"])
def test_a_port_that_is_none_is_named(monkeypatch, text):
    monkeypatch.setenv("SANDBOX_PORT", text)
    with pytest.raises(SandboxError, match=f"SANDBOX_PORT={text}"):
        bring_up.wanted_port()
