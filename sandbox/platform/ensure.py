"""Bringing the platform up, and what of it the rest of the sandbox needs to know."""

import json
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from sandbox.cloud import Cloud
from sandbox.home import replace_text
from sandbox.platform.tables import CONNECTIONS, STAGE, SUBSCRIPTIONS
from sandbox.platform.users import ROLES, Pool, UnknownUserError, User, ensure_user, fresh_token

_STACK: Final = f"WizzUser-Stack-{STAGE.capitalize()}"
_HERE: Final = Path(__file__).parent


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
    ids = _stack(cloud)
    _complete(cloud, ids["Api"])
    pools = tuple(
        Pool(entity_type=role, id=ids[f"{role}Pool"], client_id=ids[f"{role}App"]) for role in ROLES
    )
    platform = Platform(
        api_name=f"WizzUser-WebSocket-{STAGE}",
        api_id=ids["Api"],
        stage=STAGE,
        pools=pools,
        users=tuple(
            ensure_user(cloud, pool, name) for pool in pools for name in ROLES[pool.entity_type]
        ),
    )
    replace_text(_file(cloud.home), json.dumps(asdict(platform), indent=2) + "\n")
    return platform


def load(home: Path) -> Platform | None:
    """Return the platform that was brought up in this home, or nothing."""
    try:
        found = json.loads(_file(home).read_text())
        pools = tuple(Pool(**pool) for pool in found.pop("pools"))
        users = tuple(User(**user) for user in found.pop("users"))
        return Platform(**found, pools=pools, users=users)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _stack(cloud: Cloud) -> dict[str, str]:
    """Return logical -> physical ids of the platform's stack, created when it is not there."""
    formation = cloud.client("cloudformation")
    code = {
        f"{route}Code": _HERE.joinpath("functions", f"{route.lower()}.py").read_text()
        for route in ("Connect", "Disconnect", "Default")
    }
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    parameters = {"Stage": STAGE, "Runtime": runtime, **code}
    with suppress(formation.exceptions.AlreadyExistsException):
        formation.create_stack(
            StackName=_STACK,
            TemplateBody=_HERE.joinpath("template.yaml").read_text(),
            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
        )
    formation.get_waiter("stack_create_complete").wait(
        StackName=_STACK, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600}
    )
    resources = formation.describe_stack_resources(StackName=_STACK)["StackResources"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}


def _complete(cloud: Cloud, api_id: str) -> None:
    """Do what the cloud's CloudFormation leaves out: times to live, and `$default`'s answer."""
    for table in (CONNECTIONS, SUBSCRIPTIONS):
        cloud.client("dynamodb").update_time_to_live(
            TableName=table,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"},
        )
    gateway = cloud.client("apigatewayv2")
    for route in gateway.get_routes(ApiId=api_id)["Items"]:
        if route["RouteKey"] == "$default" and "RouteResponseSelectionExpression" not in route:
            which = {"ApiId": api_id, "RouteId": route["RouteId"]}
            gateway.update_route(**which, RouteResponseSelectionExpression="$default")
            gateway.create_route_response(**which, RouteResponseKey="$default")


def _file(home: Path) -> Path:
    return home / "platform.json"
