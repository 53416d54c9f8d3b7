"""Our own stack passes our own pack, with the settings of every stack."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import proto
from pulumi.runtime.config import set_all_config

from components.configuration import PLACEHOLDER
from policies.server import Analyzer
from tests.components.conftest import Configure
from tests.components.program import build
from tests.components.recording import (
    PROJECT,
    Engine,
    Platform,
    as_text,
    for_stage,
    stack_file,
)

POOLS = [{"id": "us-east-1_Abc123", "clientIds": ["c1"], "entityType": "merchant"}]
FILLED_IN = {
    "sharedApiId": "prodapi",
    "businessesTable": "WhizzMerchants_Businesses",
    "ordersTable": "WizzOrders",
    "userPools": as_text(POOLS),
    "alarmTopicArn": "arn:aws:sns:us-east-1:123456789012:page",
}


def completed(stack: str) -> dict[str, str]:
    """A stack's configuration, with what its template leaves open, or its machine adds."""
    configuration = stack_file(stack)
    configuration.setdefault(f"{PROJECT}:userPools", as_text(POOLS))
    return {
        key: FILLED_IN.get(key.removeprefix(f"{PROJECT}:"), "") if PLACEHOLDER in value else value
        for key, value in configuration.items()
    }


@pytest.mark.parametrize("stack", ["sandbox", "dev", "prod"])
def test_the_pack_finds_nothing_in_our_stack(
    engine: Engine, platform: Platform, configure: Configure, stack: str
) -> None:
    configuration = completed(stack)
    api_id = configuration.get(f"{PROJECT}:sharedApiId") or "abc123"
    for_stage(platform, stack, api_id)
    set_all_config(configuration | {f"{PROJECT}:sharedStage": stack})
    build()
    analyzer = Analyzer()
    analyzer.ConfigureStack(
        proto.AnalyzerStackConfigureRequest(
            stack=stack, project=PROJECT, config=configuration, dry_run=False
        ),
        None,
    )
    found = [
        diagnostic.message
        for args in engine.resources
        for diagnostic in analyzer.Analyze(request(stack, args), None).diagnostics
    ]
    assert found == []
    assert len(engine.resources) > 50, "an empty stack has nothing to find"


def request(stack: str, args: Any) -> Any:
    """What the engine asks of the pack for a registration."""
    properties = struct_pb2.Struct()
    inputs = {name: value for name, value in args.inputs.items() if name != "code"}
    json_format.ParseDict(inputs, properties)
    urn = f"urn:pulumi:{stack}::{PROJECT}::{args.typ}::{args.name}"
    return proto.AnalyzeRequest(type=args.typ, name=args.name, urn=urn, properties=properties)
