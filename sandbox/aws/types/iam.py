"""IAM: roles and what they may do. The service is global, so its types have no region."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.operation import Operation
from sandbox.aws.schema import (
    ResourceType,
    Tagging,
    document,
    flag,
    integer,
    out,
    properties,
    table,
    text,
)


def _create_role(operation: Operation) -> str:
    made = operation.api.create_role(**operation.parameters(), **operation.tag_parameters())
    return str(made["Role"]["RoleName"])


def _read_role(operation: Operation) -> Mapping[str, Any]:
    role = operation.api.get_role(RoleName=operation.id)["Role"]
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return {**role, "PermissionsBoundary": boundary}


def _update_role(operation: Operation) -> None:
    role = {"RoleName": operation.id}
    if "assumeRolePolicy" in operation.changed:
        operation.api.update_assume_role_policy(
            **role, PolicyDocument=operation.get("assumeRolePolicy")
        )
    if operation.changed & {"description", "maxSessionDuration"}:
        operation.api.update_role(
            **role,
            Description=operation.inputs.get("description", ""),
            MaxSessionDuration=operation.inputs["maxSessionDuration"],
        )
    if "permissionsBoundary" in operation.changed:
        if boundary := operation.inputs.get("permissionsBoundary"):
            operation.api.put_role_permissions_boundary(**role, PermissionsBoundary=boundary)
        else:
            operation.api.delete_role_permissions_boundary(**role)


def _delete_role(operation: Operation) -> None:
    role = {"RoleName": operation.id}
    if operation.get("forceDetachPolicies"):
        for each in operation.api.list_attached_role_policies(**role)["AttachedPolicies"]:
            operation.api.detach_role_policy(**role, PolicyArn=each["PolicyArn"])
        for name in operation.api.list_role_policies(**role)["PolicyNames"]:
            operation.api.delete_role_policy(**role, PolicyName=name)
    operation.api.delete_role(**role)


ROLE: Final = ResourceType(
    pulumi_name="aws:iam/role:Role",
    service="iam",
    properties=properties(
        text("name", "RoleName", replaces=True),
        text("namePrefix", None, replaces=True),
        document("assumeRolePolicy", "AssumeRolePolicyDocument", required=True),
        text("description"),
        flag("forceDetachPolicies", None, default=False),
        integer("maxSessionDuration", default=3600, least=3600, most=43200),
        text("path", default="/", replaces=True),
        text("permissionsBoundary"),
        out("arn"),
        out("createDate"),
        out("uniqueId", "RoleId"),
        tags=True,
        regional=False,
    ),
    create=_create_role,
    read=_read_role,
    update=_update_role,
    delete=_delete_role,
    autoname="name",
    autoname_most=64,
    unique=("name",),
    tagging=Tagging(
        pairs=True,
        tag="tag_role",
        untag="untag_role",
        listing="list_role_tags",
        target="RoleName",
        target_from="id",
    ),
    regional=False,
)


def _put_role_policy(operation: Operation) -> str:
    operation.api.put_role_policy(**operation.parameters())
    return f"{operation.get('role')}:{operation.get('name')}"


def _key(operation: Operation) -> dict[str, str]:
    return {"RoleName": operation.get("role"), "PolicyName": operation.get("name")}


def _update_role_policy(operation: Operation) -> None:
    _put_role_policy(operation)


def _read_role_policy(operation: Operation) -> Mapping[str, Any]:
    return operation.api.get_role_policy(**_key(operation))


def _delete_role_policy(operation: Operation) -> None:
    operation.api.delete_role_policy(**_key(operation))


ROLE_POLICY: Final = ResourceType(
    pulumi_name="aws:iam/rolePolicy:RolePolicy",
    service="iam",
    properties=properties(
        text("role", "RoleName", required=True, replaces=True),
        text("name", "PolicyName", replaces=True),
        text("namePrefix", None, replaces=True),
        document("policy", "PolicyDocument", required=True),
        regional=False,
    ),
    create=_put_role_policy,
    read=_read_role_policy,
    update=_update_role_policy,
    delete=_delete_role_policy,
    autoname="name",
    autoname_most=128,
    unique=("role", "name"),
    import_id=("role", "name"),
    separator=":",
    regional=False,
)


def _attach(operation: Operation) -> str:
    operation.api.attach_role_policy(**operation.parameters())
    return f"{operation.get('role')}/{operation.get('policyArn')}"


def _read_attachment(operation: Operation) -> Mapping[str, Any] | None:
    role, policy = operation.get("role"), operation.get("policyArn")
    found = operation.api.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    if any(each["PolicyArn"] == policy for each in found):
        return {"RoleName": role, "PolicyArn": policy}
    return None


def _detach(operation: Operation) -> None:
    operation.api.detach_role_policy(
        RoleName=operation.get("role"), PolicyArn=operation.get("policyArn")
    )


ROLE_POLICY_ATTACHMENT: Final = ResourceType(
    pulumi_name="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    service="iam",
    properties=properties(
        text("role", "RoleName", required=True, replaces=True),
        text("policyArn", required=True, replaces=True),
        regional=False,
    ),
    create=_attach,
    read=_read_attachment,
    delete=_detach,
    unique=("role", "policyArn"),
    import_id=("role", "policyArn"),
    regional=False,
)

TYPES: Final = table(ROLE, ROLE_POLICY, ROLE_POLICY_ATTACHMENT)
