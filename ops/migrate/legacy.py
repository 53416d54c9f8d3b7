"""The legacy stack as CloudFormation describes it: template, parameters, physical names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.deployed import Deployed
from ops.errors import OperatorError, code_of
from ops.migrate.pointing import Shared
from ops.migrate.retired import Legacy, find_legacy
from ops.migrate.template import load

STABLE: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})
_MAPPING: Final = "AWS::Lambda::EventSourceMapping"
_READING: Final = frozenset({"Creating", "Enabled", "Enabling", "Updating"})


class StackAbsentError(OperatorError):
    """There is no stack of this name where the outputs' stack is."""


@dataclass(frozen=True, kw_only=True)
class LegacyStack:
    """One stack, read at one moment."""

    name: str
    status: str
    template_text: str
    template: dict[str, Any]
    parameters: Mapping[str, str]
    resolved: Mapping[str, str]
    """Parameters of a Parameter Store type: what they stand for."""
    tags: tuple[Mapping[str, str], ...]
    exports: Mapping[str, str]
    """Output -> export name."""
    physical: Mapping[str, str]
    """Logical id -> physical id, those that a transform added included."""
    types: Mapping[str, str]
    """Logical id -> resource type, as deployed."""
    retired: Legacy
    """What of its template is retired; empty once it was."""
    removals: frozenset[str]
    """Logical ids that go, those that a transform added included."""

    def physical_names(self) -> frozenset[str]:
        """Physical ids of the APIs and tables that go: what must not be left anywhere."""
        logical = self.retired.apis | self.retired.tables
        return frozenset(self.physical[name] for name in logical if name in self.physical)

    def api_id(self) -> str | None:
        """Physical id of the WebSocket API that goes, where there is one."""
        return next((self.physical[n] for n in self.retired.apis if n in self.physical), None)

    def table(self) -> str | None:
        """Physical name of the connections table that goes, where there is one."""
        return next((self.physical[n] for n in self.retired.tables if n in self.physical), None)

    def stage(self) -> str:
        """Name of the retired API's stage: physical id of its `AWS::ApiGatewayV2::Stage`."""
        going = sorted(self.removals & self.types.keys())
        stages = (self.physical[n] for n in going if self.types[n] == "AWS::ApiGatewayV2::Stage")
        return next(stages, "")


def read(
    clients: Callable[[str], Any], name: str, shared_streams: frozenset[str], *, where: str
) -> LegacyStack:
    """Read a stack; `shared_streams` are the streams that the shared side reads.

    `where` says which account and region `clients` ask.

    Raises StackAbsentError where it is absent.
    """
    client = clients("cloudformation")
    try:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
        original = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        expanded = client.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
        resources = _resources(client, name)
    except ClientError as error:
        if code_of(error) == "ValidationError":
            raise StackAbsentError(
                f"there is no stack {name} in {where}: check --legacy-stack; account and region "
                "are those of the deployed stack that --stack or --outputs names, whatever "
                "AWS_REGION says, and --profile (or AWS_PROFILE) chooses its account's credentials"
            ) from error
        raise
    text = original if isinstance(original, str) else json.dumps(original)
    template = load(text)
    sources = dict(_sources(clients("lambda"), resources))
    deployed = load(expanded if isinstance(expanded, str) else json.dumps(expanded))
    outputs: Iterable[Mapping[str, str]] = stack.get("Outputs", ())
    parameters: Iterable[Mapping[str, str]] = stack.get("Parameters", ())
    return LegacyStack(
        name=name,
        status=stack["StackStatus"],
        template_text=text,
        template=template,
        parameters={p["ParameterKey"]: p["ParameterValue"] for p in parameters},
        resolved={
            p["ParameterKey"]: p["ResolvedValue"] for p in parameters if p.get("ResolvedValue")
        },
        tags=tuple(stack.get("Tags", ())),
        exports={o["OutputKey"]: o["ExportName"] for o in outputs if o.get("ExportName")},
        physical={r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources},
        types={r["LogicalResourceId"]: r["ResourceType"] for r in resources},
        retired=find_legacy(template, sources, shared_streams),
        removals=find_legacy(deployed, sources, shared_streams).all,
    )


def shared_side(deployed: Deployed) -> Shared:
    """The names that the legacy stack is pointed to, from the deployed stack's outputs."""
    return Shared(
        api_id=deployed.api_id,
        url=deployed.url,
        management_endpoint=deployed.management_endpoint,
        connections_table=deployed.connections_table,
    )


def shared_streams(client: Any, deployed: Deployed) -> frozenset[str]:
    """ARNs of the streams that the shared side reads and tells its clients of."""
    function = deployed.functions.get("order_events")
    if function is None:
        return frozenset()
    mappings = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    return frozenset(
        mapping["EventSourceArn"] for mapping in mappings if mapping["State"] in _READING
    )


def _resources(client: Any, name: str) -> list[dict[str, str]]:
    pages = client.get_paginator("list_stack_resources").paginate(StackName=name)
    return [
        resource
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource.get("PhysicalResourceId") and resource["ResourceStatus"] != "DELETE_COMPLETE"
    ]


def _sources(client: Any, resources: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """What each event source mapping of the stack reads."""
    for resource in resources:
        if resource["ResourceType"] != _MAPPING:
            continue
        try:
            mapping = client.get_event_source_mapping(UUID=resource["PhysicalResourceId"])
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                continue  # deleted by hand: it feeds nobody
            raise
        yield resource["LogicalResourceId"], mapping["EventSourceArn"]
