"""Bringing the platform up, and what of it the rest of the sandbox needs to know."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.cloud import Cloud
from sandbox.platform.api import API_NAME, ensure_api
from sandbox.platform.tables import BUSINESSES, STAGE, TABLES, ensure_table
from sandbox.platform.users import (
    ROLES,
    Pool,
    UnknownUserError,
    User,
    email,
    ensure_pool,
    ensure_user,
    fresh_token,
)


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What was brought up."""

    api_name: str
    api_id: str
    stage: str
    pools: tuple[Pool, ...]
    users: tuple[User, ...]

    def user(self, name: str) -> User:
        """Return the user of that name, or raise `UnknownUserError`."""
        for user in self.users:
            if user.name == name:
                return user
        raise UnknownUserError(name, tuple(user.name for user in self.users))

    def token(self, cloud: Cloud, name: str) -> str:
        """Return a fresh token of a user."""
        role = self.user(name).role
        return fresh_token(cloud, next(p for p in self.pools if p.entity_type == role), name)

    def user_pools(self, cloud: Cloud) -> list[dict[str, Any]]:
        """Return the pools as the program's `userPools` wants them."""
        return [pool.settings(cloud) for pool in self.pools]


def ensure(cloud: Cloud) -> Platform:
    """Bring up whatever of the platform is missing; what exists is left as it is.

    Only the first time, or after the cloud lost something: a platform that somebody changed to see
    what happens is not put right behind their back.
    """
    known = None if cloud.lost else load(cloud.home)
    if known is not None:
        return known
    # The clients first: making one is not safe in threads, and takes longer than the calls.
    for service in ("dynamodb", "cognito-idp", "iam", "lambda", "apigatewayv2"):
        cloud.client(service)
    with ThreadPoolExecutor(max_workers=8) as workers:
        tables = [workers.submit(ensure_table, cloud, table) for table in TABLES]
        pools = tuple(workers.map(lambda role: ensure_pool(cloud, role), ROLES))
        for table in tables:
            table.result()
        api_id = workers.submit(ensure_api, cloud)
        users = tuple(
            _ensure_user(cloud, pool, name) for pool in pools for name in ROLES[pool.entity_type]
        )
        platform = Platform(
            api_name=API_NAME, api_id=api_id.result(), stage=STAGE, pools=pools, users=users
        )
    _save(cloud.home, platform)
    return platform


def load(home: Path) -> Platform | None:
    """Return the platform that was brought up in this home, or nothing."""
    try:
        found = json.loads(_file(home).read_text())
        return Platform(
            api_name=found["api_name"],
            api_id=found["api_id"],
            stage=found["stage"],
            pools=tuple(Pool(**pool) for pool in found["pools"]),
            users=tuple(User(**user) for user in found["users"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _ensure_user(cloud: Cloud, pool: Pool, name: str) -> User:
    user_id = ensure_user(cloud, pool, name)
    if pool.entity_type != "merchant":
        return User(name=name, role=pool.entity_type, user_id=user_id)
    business_id = f"business_{name}"
    _ensure_business(cloud, business_id, name, user_id)
    return User(name=name, role=pool.entity_type, user_id=user_id, business_id=business_id)


def _ensure_business(cloud: Cloud, business_id: str, owner: str, owner_id: str) -> None:
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
        TableName=BUSINESSES.name,
        Key={"businessId": {"S": business_id}},
        UpdateExpression=f"SET ownerId = :ownerId, email = :email, {kept}",
        ExpressionAttributeValues={
            ":ownerId": {"S": owner_id},
            ":email": {"S": email(owner)},
            **{f":{name}": value for name, value in defaults.items()},
        },
    )


def _save(home: Path, platform: Platform) -> None:
    draft = home / f"platform.json.{os.getpid()}"
    draft.write_text(json.dumps(asdict(platform), indent=2) + "\n")
    draft.replace(_file(home))


def _file(home: Path) -> Path:
    return home / "platform.json"
