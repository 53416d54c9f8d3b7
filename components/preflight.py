"""What Pulumi has no look-up for, read with boto3 first: stage, routes, quotas, TTL.

Every read has three outcomes: it is right, it is wrong (a problem), or it could not be read (a
warning that says so): a deployer without a read permission is not held up by us.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from components.refusal import Findings, PlatformRefused, Problem, Unreadable
from components.settings import Settings

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config

ROUTES_PER_API: Final = 300
INTEGRATIONS_PER_API: Final = 300
"""Default quotas, shared by everyone on the API (API Gateway quotas for WebSocket APIs)."""
TTL_ATTRIBUTE: Final = "ttl"

Read = TypeVar("Read")


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """The shared API from the inside."""

    stages: Mapping[str, bool] | Unreadable
    """Stage name -> AutoDeploy."""
    routes: Mapping[str, str] | Unreadable
    """Route key -> target."""
    integrations: Mapping[str, str] | Unreadable
    """Integration id -> URI."""


# --- Reading --------------------------------------------------------------------------------------


def session(settings: Settings) -> Session:
    """A session with the Region and profile of Pulumi's provider: both look at one account.

    Raises PlatformRefused when this machine has no such profile.
    """
    import boto3
    from botocore.exceptions import ProfileNotFound

    try:
        return boto3.Session(region_name=settings.region, profile_name=settings.profile)
    except ProfileNotFound as failure:
        raise PlatformRefused(
            [
                Problem(
                    subject="aws:profile",
                    finding=f"{settings.profile!r} is not a profile of this machine",
                    remedy="correct or remove it, or add the profile to ~/.aws/config",
                )
            ]
        ) from failure


def read_gateway(session: Session, api_id: str) -> Gateway:
    """Stages, routes and integrations of an API."""
    client = session.client("apigatewayv2", config=_config())  # pyright: ignore[reportUnknownMemberType]

    def stages() -> dict[str, bool]:
        pages = client.get_paginator("get_stages").paginate(ApiId=api_id)
        items = (stage for page in pages for stage in page["Items"])
        return {stage["StageName"]: stage.get("AutoDeploy", False) for stage in items}

    def routes() -> dict[str, str]:
        pages = client.get_paginator("get_routes").paginate(ApiId=api_id)
        items = (route for page in pages for route in page["Items"])
        return {route["RouteKey"]: route.get("Target", "") for route in items}

    def integrations() -> dict[str, str]:
        pages = client.get_paginator("get_integrations").paginate(ApiId=api_id)
        items = (integration for page in pages for integration in page["Items"])
        return {item.get("IntegrationId", ""): item.get("IntegrationUri", "") for item in items}

    return Gateway(
        stages=_attempt(f"the stages of API {api_id}", stages),
        routes=_attempt(f"the routes of API {api_id}", routes),
        integrations=_attempt(f"the integrations of API {api_id}", integrations),
    )


def read_time_to_live(session: Session, tables: tuple[str, ...]) -> Mapping[str, str | Unreadable]:
    """Table -> the attribute that its rows expire by; empty where TTL is off."""
    client = session.client("dynamodb", config=_config())  # pyright: ignore[reportUnknownMemberType]

    def attribute(table: str) -> str:
        description = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        enabled = description.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
        return description.get("AttributeName", "") if enabled else ""

    return {
        table: _attempt(f"the TTL of table {table}", lambda table=table: attribute(table))
        for table in tables
    }


def _config() -> Config:
    from botocore.config import Config

    return Config(
        connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2}
    )


def _attempt(what: str, read: Callable[[], Read]) -> Read | Unreadable:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return read()
    except (BotoCoreError, ClientError) as failure:
        return Unreadable(what=what, reason=str(failure))


# --- Judging --------------------------------------------------------------------------------------


def check_time_to_live(table: str, attribute: str | Unreadable, findings: Findings) -> None:
    """Rows must expire: $disconnect is best effort, and TTL is what cleans up behind it."""
    known = findings.readable(attribute)
    if known is not None and known != TTL_ATTRIBUTE:
        state = f"expires rows by {known!r}" if known else "has TTL switched off"
        findings.refuse(
            f"table {table}",
            f"{state}; rows of dead connections would stay for ever",
            f"ask its owner to enable TTL on the attribute {TTL_ATTRIBUTE!r}",
        )


def check_gateway(
    gateway: Gateway, settings: Settings, function_name: str, findings: Findings
) -> None:
    """The stage must deploy by itself, and our routes must be free or ours, within the quotas."""
    stages = findings.readable(gateway.stages)
    if stages is not None:
        _check_stage(stages, settings.shared_stage, findings)
    routes = findings.readable(gateway.routes)
    integrations = findings.readable(gateway.integrations)
    if routes is None:
        return
    foreign = dict(routes)
    if integrations is not None:
        foreign = {
            key: target
            for key, target in routes.items()
            if served_by(target, integrations) != function_name
        }
        _check_owners(foreign, integrations, settings.routes, findings)
        others = [uri for uri in integrations.values() if function_of(uri) != function_name]
        _check_quota("integrations", len(others) + 1, INTEGRATIONS_PER_API, findings)
    _check_quota("routes", len(set(foreign) | set(settings.routes)), ROUTES_PER_API, findings)


def _check_stage(stages: Mapping[str, bool], stage: str, findings: Findings) -> None:
    if stage not in stages:
        findings.refuse(
            f"stage {stage}",
            f"does not exist on the shared API (it has: {', '.join(sorted(stages)) or 'none'})",
            "set sharedStage to the platform's stage",
        )
    elif not stages[stage]:
        findings.refuse(
            f"stage {stage}",
            "has AutoDeploy switched off: our routes would be created and never go live",
            "ask the platform's team to set AutoDeploy on the stage; a deployment of our own would "
            "overwrite theirs",
        )


def _check_owners(
    foreign: Mapping[str, str],
    integrations: Mapping[str, str],
    wanted: tuple[str, ...],
    findings: Findings,
) -> None:
    for route_key in wanted:
        if route_key in foreign:
            owner = served_by(foreign[route_key], integrations)
            findings.refuse(
                f"route {route_key}",
                f"is already served on the shared API by {owner}",
                "remove it from routes, or have its owner hand it over (delete it there) first",
            )


def _check_quota(what: str, count: int, quota: int, findings: Findings) -> None:
    if count > quota:
        findings.refuse(
            f"quota of {what}",
            f"the shared API would have {count} {what}, and {quota} are allowed",
            "ask the platform's team to remove unused ones or to have the quota raised",
        )


def served_by(target: str, integrations: Mapping[str, str]) -> str:
    """Who serves a route with this target: a Lambda's name, or whatever names the integration."""
    integration = target.removeprefix("integrations/")
    uri = integrations.get(integration, "")
    return function_of(uri) or uri or (f"the integration {integration}" if target else "nobody")


def function_of(uri: str) -> str:
    """The name of the Lambda that an integration URI calls; empty where it calls something else."""
    found = re.search(r":function:([\w-]+)", uri)
    return found.group(1) if found else ""
