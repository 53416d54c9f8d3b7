"""Running a program in this process, and asking the pack about it as the engine does."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import proto

from policies.check import child
from policies.server import Analyzer


def registrations(main: Path, *, preview: bool, stack: str = "dev", **given: Any) -> list[dict]:
    """What a program registers, without the cloud."""
    folder, path = Path.cwd(), list(sys.path)
    task = {
        "main": str(main),
        "project": "shop",
        "stack": stack,
        "preview": preview,
        "config": {},
        "look_ups": {},
    }
    try:
        return child.run(task | given)
    finally:
        os.chdir(folder)
        sys.path[:] = path
        pulumi.runtime.set_all_config({})


def struct(props: dict[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(props, struct_pb2.Struct())


def ask(analyzer: Analyzer, registered: Iterable[dict]) -> list[Any]:
    """Every diagnostic of the pack over a program: each resource, then the stack."""
    found: list[Any] = []
    stack = []
    for entry in registered:
        known = {key: entry[key] for key in ("type", "name", "urn")}
        props = struct(entry["inputs"])
        request = proto.AnalyzeRequest(**known, properties=props)
        found += analyzer.Analyze(request, None).diagnostics
        dependencies = {
            name: proto.AnalyzerPropertyDependencies(urns=urns)
            for name, urns in entry.get("propertyDependencies", {}).items()
        }
        stack.append(
            proto.AnalyzerResource(
                **known,
                properties=props,
                dependencies=entry.get("dependencies", []),
                propertyDependencies=dependencies,
            )
        )
    found += analyzer.AnalyzeStack(proto.AnalyzeStackRequest(resources=stack), None).diagnostics
    return found


def rules_of(diagnostics: Iterable[Any]) -> set[str]:
    return {diagnostic.policyName for diagnostic in diagnostics}
