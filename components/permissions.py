"""The roles of the Lambdas: what the catalogue says that each needs, spelled out in ARNs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_aws as aws

from lambdas.catalogue import EntryPoint, Resource

ASSUMED_BY_LAMBDA: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": "lambda.amazonaws.com"},
            }
        ],
    }
)

Arns = Mapping[Resource, Sequence[pulumi.Input[str]]]
"""What each name of the catalogue stands for; a name without ARNs has no resource here."""


def create_role(
    label: str,
    *,
    name: str,
    entry_point: EntryPoint,
    log_group: aws.cloudwatch.LogGroup,
    arns: Arns,
    parent: pulumi.Resource,
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """A role that one Lambda may assume, with its own statements and no others."""
    role = aws.iam.Role(
        f"{label}-role",
        name=name,
        description=f"What the Lambda {name} may do",
        assume_role_policy=ASSUMED_BY_LAMBDA,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    policy = aws.iam.RolePolicy(
        f"{label}-policy",
        name="own-statements",
        role=role.name,
        policy=policy_document(entry_point, log_group_arn=log_group.arn, arns=arns),
        opts=pulumi.ResourceOptions(parent=role),
    )
    return role, policy


def policy_document(
    entry_point: EntryPoint, *, log_group_arn: pulumi.Input[str], arns: Arns
) -> pulumi.Output[str]:
    """The policy of one Lambda as JSON.

    A statement loses the resources that this stack does not have; without any it is left out.
    """
    statements: list[dict[str, object]] = [
        {
            "Sid": "WriteOwnLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [pulumi.Output.concat(log_group_arn, ":*")],
        }
    ]
    for statement in entry_point.statements:
        resources = [arn for resource in statement.resources for arn in arns.get(resource, ())]
        if resources:
            statements.append(
                {
                    "Sid": statement.sid,
                    "Effect": "Allow",
                    "Action": list(statement.actions),
                    "Resource": resources,
                }
            )
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements})
