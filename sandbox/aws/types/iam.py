"""IAM: roles and what they may do. The service is global, so its types have no region."""

from typing import Any, Final

from sandbox.aws.operation import Operation
from sandbox.aws.schema import TAGS, document, flag, integer, out, resource, text


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


ROLE: Final = resource(
    "iam/role:Role",
    text("name", "RoleName", replaces=True, autoname=64),
    text("namePrefix", None, replaces=True),
    document("assumeRolePolicy", "AssumeRolePolicyDocument", required=True),
    text("description"),
    flag("forceDetachPolicies", None, default=False),
    integer("maxSessionDuration", default=3600, within=(3600, 43200)),
    text("path", default="/", replaces=True),
    text(
        "permissionsBoundary",
        told="PermissionsBoundary.PermissionsBoundaryArn",
        own=("put_role_permissions_boundary", "delete_role_permissions_boundary"),
    ),
    out("arn createDate"),
    out("uniqueId", "RoleId"),
    TAGS,
    noun="role",
    answer="Role",
    sends=_both_policies,
    update=("update_assume_role_policy", "update_role"),
    delete=_delete_role,
    key={"RoleName": "id"},
    unique=("name",),
)

ROLE_POLICY: Final = resource(
    "iam/rolePolicy:RolePolicy",
    text("role", "RoleName", required=True, replaces=True),
    text("name", "PolicyName", replaces=True, autoname=128),
    text("namePrefix", None, replaces=True),
    document("policy", "PolicyDocument", required=True),
    noun="role_policy",
    create="put_role_policy",
    update=("put_role_policy",),
    key={"RoleName": "role", "PolicyName": "name"},
    separator=":",
    unique=("role", "name"),
)

ROLE_POLICY_ATTACHMENT: Final = resource(
    "iam/rolePolicyAttachment:RolePolicyAttachment",
    text("role", "RoleName", required=True, replaces=True),
    text("policyArn", required=True, replaces=True),
    create="attach_role_policy",
    read="list_attached_role_policies",
    answer="AttachedPolicies",
    update=(),
    delete="detach_role_policy",
    key={"RoleName": "role", "PolicyArn": "policyArn"},
    unique=("role", "policyArn"),
)
