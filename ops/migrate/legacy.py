"""The legacy stack as CloudFormation describes it: template, parameters, physical names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops.deployed import Deployed
from ops.errors import OperatorError, code_of, refused
from ops.migrate.pointing import Shared
from ops.migrate.retired import Legacy, find_legacy
from ops.migrate.template import load

STABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})


@dataclass(frozen=True, kw_only=True)
class LegacyStack:
    """One stack, read at one moment."""

    name: str
    status: str
    template_text: str
    template: dict[str, Any]
    parameters: Mapping[str, str]
    tags: tuple[Mapping[str, str], ...]
    physical: Mapping[str, str]
    """Logical id -> physical id."""
    retired: Legacy
    """What of it is retired; empty once it was."""

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
        resources: dict[str, Any] = self.template["Resources"]
        for name in self.retired.parts:
            if resources[name]["Type"] == "AWS::ApiGatewayV2::Stage":
                return self.physical[name]
        return ""


def read(client: Any, name: str) -> LegacyStack:
    """Read a stack. Raises OperatorError where it is absent, or may not be read."""
    try:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
        body = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        resources = client.describe_stack_resources(StackName=name)["StackResources"]
    except ClientError as error:
        if code_of(error) == "ValidationError":
            raise OperatorError(
                f"there is no stack {name} in this account and region: check --legacy-stack, "
                "--profile and the region of the outputs"
            ) from error
        raise refused(error) from error
    text = body if isinstance(body, str) else json.dumps(body)
    template = load(text)
    return LegacyStack(
        name=name,
        status=stack["StackStatus"],
        template_text=text,
        template=template,
        parameters={p["ParameterKey"]: p["ParameterValue"] for p in stack.get("Parameters", ())},
        tags=tuple(stack.get("Tags", ())),
        physical={
            r["LogicalResourceId"]: r["PhysicalResourceId"]
            for r in resources
            if r.get("PhysicalResourceId") and r.get("ResourceStatus") != "DELETE_COMPLETE"
        },
        retired=find_legacy(template),
    )


def shared_side(deployed: Deployed) -> Shared:
    """The names that the legacy stack is pointed to, from the deployed stack's outputs."""
    return Shared(
        api_id=deployed.api_id,
        url=deployed.url,
        management_endpoint=deployed.management_endpoint,
        connections_table=deployed.connections_table,
        subscriptions_table=deployed.subscriptions_table,
    )


def functions_naming(client: Any, names: frozenset[str], ours: frozenset[str]) -> list[str]:
    """Deployed Lambdas of the account whose environment still names one of these, as sentences."""
    found: list[str] = []
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if function["FunctionName"] in ours:
                continue
            text = json.dumps(function.get("Environment", {}).get("Variables", {}))
            found.extend(
                f"the Lambda {function['FunctionName']} names {name} in its environment"
                for name in sorted(names)
                if name in text
            )
    return found


def same(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    """Whether two templates say the same, whatever their order of keys."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
