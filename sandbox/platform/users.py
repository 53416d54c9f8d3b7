"""The sandbox's users: who they are, that they are there, and tokens of theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sandbox.cloud import Cloud
from sandbox.errors import SandboxError
from sandbox.platform.tables import BUSINESSES

# Opens nothing but the cloud on this machine, where whoever reaches it can set another.
_PASSWORD: Final = "Sandbox-only-1"  # noqa: S105

ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "merchant": ("merchant1", "merchant2"),
    "customer": ("customer1", "customer2"),
    "driver": ("driver1",),
}


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


def ensure_user(cloud: Cloud, pool: Pool, name: str) -> User:
    """Return a user whose e-mail is verified, a merchant with a business; made when not there."""
    cognito = cloud.client("cognito-idp")
    email = f"{name}@sandbox.example"
    try:
        attributes = cognito.admin_create_user(
            UserPoolId=pool.id,
            Username=name,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
            ],
        )["User"]["Attributes"]
        cognito.admin_set_user_password(
            UserPoolId=pool.id, Username=name, Password=_PASSWORD, Permanent=True
        )
    except cognito.exceptions.UsernameExistsException:
        attributes = cognito.admin_get_user(UserPoolId=pool.id, Username=name)["UserAttributes"]
    user_id = next(str(entry["Value"]) for entry in attributes if entry["Name"] == "sub")
    if pool.entity_type != "merchant":
        return User(name=name, role=pool.entity_type, user_id=user_id)
    business_id = f"business_{name}"
    _ensure_business(cloud, business_id, name, user_id, email)
    return User(name=name, role=pool.entity_type, user_id=user_id, business_id=business_id)


def _ensure_business(cloud: Cloud, business_id: str, owner: str, owner_id: str, email: str) -> None:
    """Write the business of a merchant; one that is there keeps everything but its owner."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    defaults = {
        "businessName": {"S": f"Business of {owner}"},
        "isActive": {"BOOL": True},
        "acceptingOrders": {"BOOL": True},
        "createdAt": {"S": now},
        "updatedAt": {"S": now},
    }
    kept = ", ".join(f"{name} = if_not_exists({name}, :{name})" for name in defaults)
    cloud.client("dynamodb").update_item(
        TableName=BUSINESSES,
        Key={"businessId": {"S": business_id}},
        UpdateExpression=f"SET ownerId = :ownerId, email = :email, {kept}",
        ExpressionAttributeValues={
            ":ownerId": {"S": owner_id},
            ":email": {"S": email},
            **{f":{name}": value for name, value in defaults.items()},
        },
    )


def fresh_token(cloud: Cloud, pool: Pool, name: str) -> str:
    """Return a new ID token: the kind that says which e-mail address was verified."""
    answer = cloud.client("cognito-idp").initiate_auth(
        ClientId=pool.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": _PASSWORD},
    )
    return str(answer["AuthenticationResult"]["IdToken"])
