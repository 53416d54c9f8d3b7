"""The pack as tests talk to it: in process over the SDK's messages, and as the engine starts it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import proto
from pulumi.runtime.proto import analyzer_pb2_grpc

from policies.server import Analyzer

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a string that is not known yet."""


def request(type_: str, props: dict[str, Any], name: str = "thing") -> Any:
    """Return what the engine asks of the pack for one resource."""
    struct = struct_pb2.Struct()
    json_format.ParseDict(props, struct)
    urn = f"urn:pulumi:dev::shop::{type_}::{name}"
    return proto.AnalyzeRequest(type=type_, name=name, urn=urn, properties=struct)


@pytest.fixture
def analyze() -> Callable[..., list[Any]]:
    """Return a function that runs the pack over one resource: its diagnostics."""
    analyzer = Analyzer()

    def run(type_: str, props: dict[str, Any], name: str = "thing") -> list[Any]:
        return list(analyzer.Analyze(request(type_, props, name), None).diagnostics)

    return run


@pytest.fixture
def pack_process() -> Iterator[Any]:
    """Start the pack as the engine does; a stub to talk to it."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(ROOT / "policies")],
        cwd=ROOT / "policies",
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
