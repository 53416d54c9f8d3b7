"""The policy pack: the check as a whole process, and the analyzer beside an empty pack.

10,000 resources with violations planted among them; what is found must be what was planted.
conftest and Checkov take part where they are on PATH, or where BENCH_CHECKOV points at the latter
(it wants an environment of its own).
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import grpc
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import proto
from pulumi.runtime.proto import analyzer_pb2_grpc

from bench.ratio import Goal, Ratio

ROOT = Path(__file__).resolve().parents[1]
RESOURCES = 10_000
PLANTED_EVERY = 500
CALLS = 2_000
ROUNDS = 5
MEMORY_LIMIT = 150.0
"""MB."""

EMPTY_PACK = """\
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

PolicyPack(
    name="empty",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        ResourceValidationPolicy(
            name="nothing", description="Nothing is refused.", validate=lambda args, report: None
        )
    ],
)
"""
EMPTY_STACK_PACK = EMPTY_PACK.replace("Resource", "Stack")

# Five rules on plain dictionaries, as a bare pack would hold them, without an engine.
BARE_PACK = """\
import json, sys
from pulumi_policy import ResourceValidationArgs, ResourceValidationPolicy
from pulumi_policy.proxy import unknown_checking_proxy

def rule(type_, test):
    def validate(args, report):
        if args.resource_type == type_ and test(args.props):
            report("refused", None)
    return ResourceValidationPolicy(name=type_[-9:], description="d", validate=validate)

RULES = [
    rule("aws:apigatewayv2/api:Api", lambda props: props.get("protocolType") == "WEBSOCKET"),
    rule("aws:apigatewayv2/route:Route", lambda props: props["routeKey"] == "$connect"),
    rule("aws:dynamodb/table:Table", lambda props: props["hashKey"] == "connectionId"),
    rule("aws:lambda/permission:Permission", lambda props: not props.get("sourceArn")),
    rule("aws:iam/rolePolicy:RolePolicy", lambda props: '"*"' in props["policy"]),
]
found = []
for entry in json.load(open(sys.argv[1]))["deployment"]["resources"]:
    for policy in RULES:
        props = unknown_checking_proxy(entry["inputs"])
        args = ResourceValidationArgs(entry["type"], props, "", "", None, None, None)
        policy.validate(args, lambda message, urn=None: found.append(message))
"""

FIVE_RULES = """
package main

deny contains name if {
  some name, found in input.Resources
  found.Type == "AWS::ApiGatewayV2::Api"
  found.Properties.ProtocolType == "WEBSOCKET"
}

deny contains name if {
  some name, found in input.Resources
  found.Type == "AWS::ApiGatewayV2::Route"
  found.Properties.RouteKey == "$connect"
}

deny contains name if {
  some name, found in input.Resources
  found.Type == "AWS::DynamoDB::Table"
  found.Properties.HashKey == "connectionId"
}

deny contains name if {
  some name, found in input.Resources
  found.Type == "AWS::Lambda::Permission"
  not found.Properties.SourceArn
}

deny contains name if {
  some name, found in input.Resources
  found.Type == "AWS::IAM::RolePolicy"
  contains(found.Properties.Policy, "\\"*\\"")
}
"""
"""The bare pack's rules in conftest's language."""


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        state = folder / "state.json"
        state.write_text(json.dumps({"version": 3, "deployment": {"resources": resources()}}))
        template = folder / "template.json"
        template.write_text(json.dumps({"Resources": as_template()}))
        return [*_check(state, template, folder), *_analyzer(folder), *_start(folder)]


# --- What is checked ------------------------------------------------------------------------------


def inputs(number: int) -> tuple[str, str, dict[str, Any]]:
    """A resource of an ordinary stack: CloudFormation's type, Pulumi's type, its properties."""
    planted = number % PLANTED_EVERY == 0
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["dynamodb:GetItem"],
                "Resource": f"arn:aws:dynamodb:us-east-1:123456789012:table/Orders{number}",
            }
        ],
    }
    protocol = "WEBSOCKET" if planted else "HTTP"
    ordinary: list[tuple[str, str, dict[str, Any]]] = [
        ("AWS::ApiGatewayV2::Api", "aws:apigatewayv2/api:Api", {"protocolType": protocol}),
        (
            "AWS::DynamoDB::Table",
            "aws:dynamodb/table:Table",
            {"hashKey": "id", "attributes": [{"name": "id", "type": "S"}]},
        ),
        (
            "AWS::Lambda::Function",
            "aws:lambda/function:Function",
            {"handler": "a.b", "environment": {"variables": {"TABLE": f"Orders{number}"}}},
        ),
        ("AWS::IAM::RolePolicy", "aws:iam/rolePolicy:RolePolicy", {"policy": json.dumps(document)}),
        ("AWS::S3::Bucket", "aws:s3/bucket:Bucket", {"tags": {"team": "merchants"}}),
    ]
    return ordinary[0 if planted else number % len(ordinary)]


def resources() -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    for number in range(RESOURCES):
        _, token, props = inputs(number)
        urn = f"urn:pulumi:dev::shop::{token}::r{number}"
        listed.append({"type": token, "urn": urn, "custom": True, "inputs": props})
    return listed


def as_template() -> dict[str, Any]:
    """The same as a template that other tools can read."""
    return {
        f"R{number}": {
            "Type": cloud,
            "Properties": {name[0].upper() + name[1:]: value for name, value in props.items()},
        }
        for number in range(RESOURCES)
        for cloud, _, props in [inputs(number)]
    }


PLANTED = RESOURCES // PLANTED_EVERY


# --- The check, as a whole process ----------------------------------------------------------------


def _check(state: Path, template: Path, folder: Path) -> Iterator[Ratio]:
    ours = [sys.executable, "-m", "policies", "check", "--format", "json", "--state", str(state)]
    report = json.loads(subprocess.run(ours, cwd=ROOT, capture_output=True, check=False).stdout)
    found = report["summary"]["mandatory"]
    if found != PLANTED:
        raise AssertionError(f"{found} violations found, {PLANTED} planted")
    bare = folder / "bare.py"
    bare.write_text(BARE_PACK)
    peer = [sys.executable, str(bare), str(state)]
    ours_seconds, peer_seconds = _alternating(lambda: _run(ours), lambda: _run(peer))
    yield Ratio(
        what=f"check, all rules, {RESOURCES:,} resources",
        ours=ours_seconds,
        peer=peer_seconds,
        unit="s",
        against="bare pack, five rules, in process",
        goal=Goal.AT_MOST,
        bound=1.5,
    )
    yield Ratio(
        what="peak memory of the check",
        ours=_peak_memory(ours),
        peer=MEMORY_LIMIT,
        unit="MB",
        against="limit",
        goal=Goal.AT_MOST,
        bound=1,
    )
    yield from _other_tools(ours, ours_seconds, template)


def _other_tools(ours: list[str], ours_seconds: float, template: Path) -> Iterator[Ratio]:
    checkov = os.environ.get("BENCH_CHECKOV") or shutil.which("checkov")
    if checkov:
        command = [checkov, "-f", str(template), "--framework", "cloudformation", "--quiet"]
        yield Ratio(
            what="check",
            ours=ours_seconds,
            peer=_run(command),
            unit="s",
            against="Checkov, same resources as a template",
            goal=Goal.AT_MOST,
            bound=1 / 50,
        )
    conftest = shutil.which("conftest")
    if conftest:
        rules = template.with_name("policy")
        rules.mkdir()
        (rules / "five.rego").write_text(FIVE_RULES)
        command = [conftest, "test", "--output", "json", "-p", str(rules), str(template)]
        report = subprocess.run(command, cwd=ROOT, capture_output=True, check=False).stdout
        found = sum(len(result.get("failures", [])) for result in json.loads(report))
        if found != PLANTED:
            raise AssertionError(f"conftest found {found} violations, {PLANTED} planted")
        mine, other = _alternating(lambda: _run(ours), lambda: _run(command))
        yield Ratio(
            what="check",
            ours=mine,
            peer=other,
            unit="s",
            against="conftest, five rules",
            goal=Goal.AT_MOST,
            bound=1.5,
        )


def _run(command: list[str]) -> float:
    begun = perf_counter()
    quiet = subprocess.DEVNULL
    subprocess.run(command, cwd=ROOT, stdout=quiet, stderr=quiet, check=False)
    return perf_counter() - begun


def _alternating(ours: Callable[[], float], peer: Callable[[], float]) -> tuple[float, float]:
    """The best of several rounds, taken in turns, so that both meet the same machine."""
    ours()
    peer()
    rounds = [(ours(), peer()) for _ in range(ROUNDS)]
    return min(mine for mine, _ in rounds), min(other for _, other in rounds)


def _peak_memory(command: list[str]) -> float:
    code = (
        "import resource, subprocess, sys;"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    measured = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(measured.stdout)


# --- The analyzer, as the engine talks to it ------------------------------------------------------


@contextmanager
def _serving(pack: Path) -> Iterator[tuple[Any, int]]:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(pack)],
        cwd=pack,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        address = f"127.0.0.1:{int(process.stdout.readline())}"
        options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        with grpc.insecure_channel(address, options=options) as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel), process.pid
    finally:
        process.kill()
        process.wait()


def _empty(folder: Path, name: str, source: str) -> Path:
    pack = folder / name
    pack.mkdir()
    (pack / "__main__.py").write_text(source)
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
    return pack


def _struct(props: dict[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(props, struct_pb2.Struct())


def _requests() -> list[Any]:
    made: list[Any] = []
    for number in range(CALLS):
        _, token, props = inputs(number)
        urn = f"urn:pulumi:dev::shop::{token}::r{number}"
        made.append(
            proto.AnalyzeRequest(type=token, urn=urn, name=f"r{number}", properties=_struct(props))
        )
    return made


def _analyzer(folder: Path) -> Iterator[Ratio]:
    empty = _empty(folder, "empty", EMPTY_PACK)
    asked = _requests()
    with _serving(ROOT / "policies") as (ours, pid), _serving(empty) as (peer, _):
        found = sum(len(ours.Analyze(request).diagnostics) for request in asked)
        if found != CALLS // PLANTED_EVERY:
            raise AssertionError(f"{found} violations found, {CALLS // PLANTED_EVERY} planted")
        mine, other = _alternating(lambda: _per_call(ours, asked), lambda: _per_call(peer, asked))
        yield Ratio(
            what="Remediate and Analyze, all rules, a resource",
            ours=mine * 1000,
            peer=other * 1000,
            unit="ms",
            against="empty pack",
            goal=Goal.AT_MOST,
            bound=1.5,
        )
        stack = _stack()
        with _serving(_empty(folder, "empty_stack", EMPTY_STACK_PACK)) as (stack_peer, _):
            mine, other = _alternating(
                lambda: _per_stack(ours, stack), lambda: _per_stack(stack_peer, stack)
            )
        yield Ratio(
            what="AnalyzeStack, all stack rules, a resource",
            ours=mine * 1000,
            peer=other * 1000,
            unit="ms",
            against="pack with one empty stack policy",
            goal=Goal.AT_MOST,
            bound=1,
        )
        yield Ratio(
            what="peak memory of the pack",
            ours=_resident_peak(pid),
            peer=MEMORY_LIMIT,
            unit="MB",
            against="limit",
            goal=Goal.AT_MOST,
            bound=1,
        )


def _per_call(stub: Any, asked: list[Any]) -> float:
    begun = perf_counter()
    for request in asked:
        stub.Remediate(request)
        stub.Analyze(request)
    return (perf_counter() - begun) / len(asked)


def _stack() -> Any:
    return proto.AnalyzeStackRequest(
        resources=[
            proto.AnalyzerResource(
                type=entry["type"],
                urn=entry["urn"],
                name=entry["urn"].rpartition("::")[2],
                properties=_struct(entry["inputs"]),
            )
            for entry in resources()
        ]
    )


def _per_stack(stub: Any, stack: Any) -> float:
    begun = perf_counter()
    stub.AnalyzeStack(stack)
    return (perf_counter() - begun) / RESOURCES


def _resident_peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    if not status.is_file():
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    (line,) = (row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


# --- Start ----------------------------------------------------------------------------------------


def _start(folder: Path) -> Iterator[Ratio]:
    empty = _empty(folder, "empty_to_start", EMPTY_PACK)
    ours, peer = _alternating(lambda: _until_port(ROOT / "policies"), lambda: _until_port(empty))
    yield Ratio(
        what="start of the pack",
        ours=ours,
        peer=peer,
        unit="s",
        against="empty pack",
        goal=Goal.AT_MOST,
        bound=1.3,
    )


def _until_port(pack: Path) -> float:
    begun = perf_counter()
    with _serving(pack):
        return perf_counter() - begun
