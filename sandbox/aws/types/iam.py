"""IAM: roles and what they may do. The service is global, so its types have no region."""

from typing import Any, Final

from sandbox.aws import schema as row
from sandbox.aws.operation import Operation


def _both_policies(_: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """Give the trust policy by both of its names: calls that create and update differ in it."""
    trust = given.get("AssumeRolePolicyDocument")
    return {**given, "PolicyDocument": trust} if trust else given


def _delete_role(operation: Operation) -> None:
    if operation.get("forceDetachPolicies"):
        for each in operation.call("list_attached_role_policies")["AttachedPolicies"]:
            operation.call("detach_role_policy", PolicyArn=each["PolicyArn"])
        for name in operation.call("list_role_policies")["PolicyNames"]:
            operation.call("delete_role_policy", PolicyName=name)
    operation.call("delete_role")


ROLE: Final = row.resource(
    "iam/role:Role",
    row.text("name", "RoleName", replaces=True, autoname=64),
    row.text("namePrefix", None, replaces=True),
    row.document("assumeRolePolicy", "AssumeRolePolicyDocument", required=True),
    row.text("description"),
    row.flag("forceDetachPolicies", None, default=False),
    row.integer("maxSessionDuration", default=3600, within=(3600, 43200)),
    row.text("path", default="/", replaces=True),
    row.text(
        "permissionsBoundary",
        told="PermissionsBoundary.PermissionsBoundaryArn",
        own=("put_role_permissions_boundary", "delete_role_permissions_boundary"),
    ),
    row.out("arn createDate"),
    row.out("uniqueId", "RoleId"),
    row.TAGS,
    noun="role",
    answer="Role",
    sends=_both_policies,
    update=("update_assume_role_policy", "update_role"),
    delete=_delete_role,
    key={"RoleName": "id"},
    unique=("name",),
)

ROLE_POLICY: Final = row.resource(
    "iam/rolePolicy:RolePolicy",
    row.text("role", "RoleName", required=True, replaces=True),
    row.text("name", "PolicyName", replaces=True, autoname=128),
    row.text("namePrefix", None, replaces=True),
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
