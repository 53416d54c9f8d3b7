"""IAM: roles and what they may do. The service is global, so its types have no region."""

from typing import Any, Final

from sandbox.aws import schema as row
from sandbox.aws.operation import Operation


def _both_policies(_: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """Give the trust policy by both of its names: calls that create and update differ in it."""
    trust = given.get("AssumeRolePolicyDocument")
    return {**given, "PolicyDocument": trust} if trust else given


ROLE: Final = row.resource(
    "iam/role:Role",
    row.text("name", "RoleName", replaces=True, autoname=64),
    row.document("assumeRolePolicy", "AssumeRolePolicyDocument", required=True),
    row.text("description"),
    row.integer("maxSessionDuration", default=3600, within=(3600, 43200)),
    row.text("path", default="/", replaces=True),
    row.out("arn createDate"),
    row.out("uniqueId", "RoleId"),
    row.TAGS,
    noun="role",
    answer="Role",
    sends=_both_policies,
    update=("update_assume_role_policy", "update_role"),
    key={"RoleName": "id"},
    unique=("name",),
)

ROLE_POLICY: Final = row.resource(
    "iam/rolePolicy:RolePolicy",
    row.text("role", "RoleName", required=True, replaces=True),
    row.text("name", "PolicyName", replaces=True, autoname=128),
    row.document("policy", "PolicyDocument", required=True),
    noun="role_policy",
    put="put_role_policy",
    key={"RoleName": "role", "PolicyName": "name"},
    separator=":",
    unique=("role", "name"),
)

ROLE_POLICY_ATTACHMENT: Final = row.resource(
    "iam/rolePolicyAttachment:RolePolicyAttachment",
    row.text("role", "RoleName", required=True, replaces=True),
    row.text("policyArn", required=True, replaces=True),
    create="attach_role_policy",
    read="list_attached_role_policies",
    answer="AttachedPolicies",
    delete="detach_role_policy",
    key={"RoleName": "role", "PolicyArn": "policyArn"},
    unique=("role", "policyArn"),
)
