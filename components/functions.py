"""A Lambda of ours: its log group, its role, and the function itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.permissions import Arns, create_role
from components.settings import Settings
from lambdas.catalogue import EntryPoint


@dataclass(frozen=True, kw_only=True)
class FunctionParts:
    """A Lambda and what belongs to it."""

    entry_point: EntryPoint
    log_group: aws.cloudwatch.LogGroup
    role: aws.iam.Role
    policy: aws.iam.RolePolicy
    function: aws.lambda_.Function


def function_name(stack: str, entry_point: EntryPoint) -> str:
    """What a Lambda is called; known before it exists, to tell its routes from others'."""
    return f"order-receiver-{stack}-{entry_point.name.replace('_', '-')}"


def create_function(
    component: str,
    entry_point: EntryPoint,
    *,
    settings: Settings,
    package: Path,
    environment: Mapping[str, pulumi.Input[str]],
    arns: Arns,
    parent: pulumi.Resource,
    memory_size: int = 0,
) -> FunctionParts:
    """Create a Lambda of the catalogue; `memory_size` (MB) overrides the catalogue's."""
    name = function_name(settings.stack, entry_point)
    label = f"{component}-{entry_point.name.replace('_', '-')}"
    log_group = aws.cloudwatch.LogGroup(
        f"{label}-log",
        name=f"/aws/lambda/{name}",
        retention_in_days=settings.log_retention_days,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    role, policy = create_role(
        label, name=name, entry_point=entry_point, log_group=log_group, arns=arns, parent=parent
    )
    function = aws.lambda_.Function(
        label,
        name=name,
        description=f"Order receiver: {entry_point.name}",
        package_type="Zip",
        code=pulumi.FileArchive(package.as_posix()),
        handler=entry_point.handler,
        runtime=settings.lambda_runtime,
        architectures=[settings.lambda_architecture],
        memory_size=memory_size or entry_point.memory_size,
        timeout=entry_point.timeout,
        role=role.arn,
        reserved_concurrent_executions=settings.reserved_concurrency.get(entry_point.name),
        environment={"variables": environment},
        # The role's rights and the log group come first, or the first messages are lost to either.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[policy, log_group]),
    )
    return FunctionParts(
        entry_point=entry_point, log_group=log_group, role=role, policy=policy, function=function
    )
