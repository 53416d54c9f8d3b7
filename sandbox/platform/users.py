"""User pools of merchants, customers and drivers, the sandbox's users in them, their tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.cloud import Cloud
from sandbox.errors import SandboxError
from sandbox.platform.tables import STAGE

# Opens nothing but the cloud on this machine, where whoever reaches it can set another.
_PASSWORD: Final = "Sandbox-only-1"  # noqa: S105


class UnknownUserError(SandboxError):
    """There is no user of that name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"user {name}", "the sandbox has no such user", f"use {', '.join(known)}")
        self.name = name


@dataclass(frozen=True, kw_only=True)
class Pool:
    """A user pool; whoever's token it signed is of its `entity_type`."""

    entity_type: str
    id: str
    client_id: str

    def settings(self, cloud: Cloud) -> dict[str, Any]:
        """Return the pool in the form of the program's `userPools`.

        The keys are read from the cloud, while the issuer that a token names is the one of AWS.
        """
        return {
            "id": self.id,
            "clientIds": [self.client_id],
            "entityType": self.entity_type,
            "jwksUrl": f"{cloud.endpoint}/{self.id}/.well-known/jwks.json",
        }


@dataclass(frozen=True, kw_only=True)
class User:
    """Somebody to try the sandbox as; `business_id` is a merchant's."""

    name: str
    role: str
    user_id: str
    business_id: str | None = None


ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "merchant": ("merchant1", "merchant2"),
    "customer": ("customer1", "customer2"),
    "driver": ("driver1",),
}


def email(name: str) -> str:
    """Return the address that a user's pool has verified."""
    return f"{name}@sandbox.example"


def ensure_pool(cloud: Cloud, role: str) -> Pool:
    """Return the pool of a role, with its app client; created when there is none."""
    cognito = cloud.client("cognito-idp")
    name = f"Wizz-{role}s-{STAGE}"
    pages = cognito.get_paginator("list_user_pools").paginate(MaxResults=60)
    found = [pool["Id"] for page in pages for pool in page["UserPools"] if pool["Name"] == name]
    pool_id = found[0] if found else _create_pool(cloud, name)
    clients = cognito.list_user_pool_clients(UserPoolId=pool_id, MaxResults=1)["UserPoolClients"]
    if clients:
        return Pool(entity_type=role, id=pool_id, client_id=clients[0]["ClientId"])
    client = cognito.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName=f"{role}-app",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]
    return Pool(entity_type=role, id=pool_id, client_id=client["ClientId"])


def _create_pool(cloud: Cloud, name: str) -> str:
    created = cloud.client("cognito-idp").create_user_pool(
        PoolName=name, AutoVerifiedAttributes=["email"]
    )
    return str(created["UserPool"]["Id"])


def ensure_user(cloud: Cloud, pool: Pool, name: str) -> str:
    """Return the id (`sub`) of a user whose e-mail is verified; created when there is none."""
    cognito = cloud.client("cognito-idp")
    try:
        attributes = cognito.admin_create_user(
            UserPoolId=pool.id,
            Username=name,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": email(name)},
                {"Name": "email_verified", "Value": "true"},
            ],
        )["User"]["Attributes"]
        cognito.admin_set_user_password(
            UserPoolId=pool.id, Username=name, Password=_PASSWORD, Permanent=True
        )
    except cognito.exceptions.UsernameExistsException:
        attributes = cognito.admin_get_user(UserPoolId=pool.id, Username=name)["UserAttributes"]
    return next(str(entry["Value"]) for entry in attributes if entry["Name"] == "sub")


def fresh_token(cloud: Cloud, pool: Pool, name: str) -> str:
    """Return a new ID token: the kind that says which e-mail address was verified."""
    answer = cloud.client("cognito-idp").initiate_auth(
        ClientId=pool.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": _PASSWORD},
    )
    return str(answer["AuthenticationResult"]["IdToken"])
