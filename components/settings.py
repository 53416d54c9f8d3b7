"""The settings of a stack: every configuration key, typed, checked and with its default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import pulumi

from components.configuration import ConfigurationReader
from components.package import PackageTarget
from components.refusal import SettingsRefused
from lambdas import catalogue

IDENTITY_MODES: Final = ("token", "authorizer", "connection")
ENTITY_TYPES: Final = ("merchant", "customer", "driver")
RUNTIMES: Final = ("python3.11", "python3.12", "python3.13", "python3.14")
ARCHITECTURES: Final = ("arm64", "x86_64")
PACKAGE_PLATFORMS: Final = ("lambda", "native")
# CloudWatch Logs accepts these and nothing between them (PutRetentionPolicy).
LOG_RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
)  # fmt: skip
MEMORY_MIN: Final = 128
MEMORY_MAX: Final = 10_240

DEFAULT_ROUTES: Final = catalogue.MERCHANT_ROUTES


@dataclass(frozen=True, kw_only=True)
class UserPool:
    """A Cognito user pool whose tokens are accepted, and what its holders are."""

    id: str
    client_ids: tuple[str, ...]
    entity_type: str
    jwks_url: str

    @property
    def issuer(self) -> str:
        """The `iss` of its tokens (Cognito: verifying a JSON web token)."""
        region = self.id.split("_", 1)[0]
        return f"https://cognito-idp.{region}.amazonaws.com/{self.id}"


@dataclass(frozen=True, kw_only=True)
class HandedOverRoute:
    """A route of the platform that it lets us serve."""

    route_key: str
    reason: str
    former_function: str
    """Name or ARN of the platform's Lambda that served it; foreign messages are passed on to it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one stack is deployed with."""

    stack: str
    region: str
    profile: str | None
    shared_api_id: str
    shared_api_name: str
    shared_stack_reference: str
    shared_stage: str
    connections_table: str
    subscriptions_table: str
    businesses_table: str
    orders_table: str
    """Empty where the stack has no orders table."""
    routes: tuple[str, ...]
    handed_over_routes: tuple[HandedOverRoute, ...] = ()
    identity_mode: str = "token"
    user_pools: tuple[UserPool, ...] = ()
    log_retention_days: int = 30
    lambda_runtime: str = "python3.13"
    lambda_architecture: str = "arm64"
    lambda_platform: str = "lambda"
    lambda_memory_size: int = 0
    """MB of the websocket Lambda; 0 leaves it to the catalogue."""
    reserved_concurrency: dict[str, int] = field(default_factory=dict[str, int])
    alarm_topic_arn: str = ""

    @property
    def package_target(self) -> PackageTarget:
        """What the Lambda package has to run on."""
        return PackageTarget(
            runtime=self.lambda_runtime,
            architecture=self.lambda_architecture,
            platform=self.lambda_platform,
        )

    @classmethod
    def load(cls, config: pulumi.Config) -> Settings:
        """Read the stack's configuration.

        Raises SettingsRefused with every problem that it has.
        """
        stack = pulumi.get_stack()
        reader = ConfigurationReader(config)
        stage = reader.text("sharedStage", default=stack)
        settings = cls(
            stack=stack,
            region=reader.region(),
            profile=pulumi.Config("aws").get("profile"),
            shared_api_id=reader.text("sharedApiId", pattern=r"[a-z0-9]+"),
            shared_api_name=reader.text("sharedApiName", default=f"WizzUser-WebSocket-{stage}"),
            shared_stack_reference=reader.text("sharedStackReference"),
            shared_stage=stage,
            connections_table=reader.text(
                "connectionsTable", default=f"WizzUser_websocket_connections_{stage}"
            ),
            subscriptions_table=reader.text(
                "subscriptionsTable", default=f"WizzUser_websocket_subscriptions_{stage}"
            ),
            businesses_table=reader.required_text(
                "businessesTable", example="WhizzMerchants_Businesses"
            ),
            orders_table=reader.text("ordersTable"),
            routes=reader.texts("routes", default=DEFAULT_ROUTES),
            handed_over_routes=_handed_over_routes(reader),
            identity_mode=reader.choice("identityMode", IDENTITY_MODES, default="token"),
            user_pools=_user_pools(reader),
            log_retention_days=reader.number("logRetentionDays", default=30),
            lambda_runtime=reader.choice("lambdaRuntime", RUNTIMES, default="python3.13"),
            lambda_architecture=reader.choice("lambdaArchitecture", ARCHITECTURES, default="arm64"),
            lambda_platform=reader.choice("lambdaPlatform", PACKAGE_PLATFORMS, default="lambda"),
            lambda_memory_size=reader.number("lambdaMemorySize", default=0),
            reserved_concurrency=reader.numbers("reservedConcurrency"),
            alarm_topic_arn=reader.text("alarmTopicArn", pattern=r"arn:[\w-]+:sns:.+"),
        )
        _check(settings, reader)
        reader.refuse_unknown_keys()
        if reader.problems:
            raise SettingsRefused(reader.problems)
        return settings


def _user_pools(reader: ConfigurationReader) -> tuple[UserPool, ...]:
    pools: list[UserPool] = []
    for entry in reader.objects("userPools", allowed=("id", "clientIds", "entityType", "jwksUrl")):
        pool = UserPool(
            id=entry.required_text("id", pattern=r"[\w-]+_[0-9A-Za-z]+"),
            client_ids=entry.required_texts("clientIds"),
            entity_type=entry.choice("entityType", ENTITY_TYPES),
            jwks_url=entry.text("jwksUrl", pattern=r"https?://.+"),
        )
        pools.append(pool)
    return tuple(pools)


def _handed_over_routes(reader: ConfigurationReader) -> tuple[HandedOverRoute, ...]:
    routes: list[HandedOverRoute] = []
    allowed = ("routeKey", "reason", "formerFunction")
    for entry in reader.objects("handedOverRoutes", allowed=allowed):
        route = HandedOverRoute(
            route_key=entry.choice(
                "routeKey", catalogue.LIFECYCLE_ROUTES + catalogue.HANDED_OVER_ROUTES
            ),
            reason=entry.required_text("reason"),
            former_function=entry.text("formerFunction", pattern=r"[\w:-]+"),
        )
        routes.append(route)
    return tuple(routes)


def _check(settings: Settings, reader: ConfigurationReader) -> None:
    """What one key alone cannot tell."""
    if settings.log_retention_days not in LOG_RETENTION_DAYS:
        reader.refuse(
            "logRetentionDays",
            f"{settings.log_retention_days} is not a retention that CloudWatch Logs offers",
            f"choose one of {', '.join(map(str, LOG_RETENTION_DAYS))}",
        )
    if settings.lambda_memory_size and not (
        MEMORY_MIN <= settings.lambda_memory_size <= MEMORY_MAX
    ):
        reader.refuse(
            "lambdaMemorySize",
            f"{settings.lambda_memory_size} MB is outside what Lambda offers",
            f"choose {MEMORY_MIN} to {MEMORY_MAX}, or leave it out for the default",
        )
    functions = tuple(entry_point.name for entry_point in catalogue.ENTRY_POINTS)
    for name, amount in settings.reserved_concurrency.items():
        if name not in functions:
            reader.refuse(
                "reservedConcurrency",
                f"{name!r} is not one of our Lambdas",
                f"its keys are {', '.join(functions)}",
            )
        elif amount < 1:
            reader.refuse(
                "reservedConcurrency",
                f"{amount} for {name} would stop it from running at all",
                "give at least 1, or leave the Lambda out for no reservation",
            )
    _check_tables(settings, reader)
    if settings.identity_mode == "token" and not settings.user_pools:
        reader.refuse_once(
            "userPools",
            "is empty, and identityMode is token: nobody could register",
            "list the merchants' pool as {id, clientIds, entityType: merchant}",
        )
    _check_routes(settings, reader)


def _check_tables(settings: Settings, reader: ConfigurationReader) -> None:
    """Every role has its own table: one that stood for two would be verified as one of them."""
    roles = {
        "connectionsTable": settings.connections_table,
        "subscriptionsTable": settings.subscriptions_table,
        "businessesTable": settings.businesses_table,
        "ordersTable": settings.orders_table,
    }
    seen: dict[str, str] = {}
    for key, name in roles.items():
        if name and name in seen:
            reader.refuse(
                key,
                f"{name!r} is the {seen[name]} too",
                "name the table that holds these rows and no others",
            )
        seen.setdefault(name, key)


def _check_routes(settings: Settings, reader: ConfigurationReader) -> None:
    handed_over = {route.route_key: route for route in settings.handed_over_routes}
    if not settings.routes:
        reader.refuse_once(
            "routes", "is empty: the stack would serve nothing", "list the route keys to serve"
        )
    for route_key in sorted({key for key in settings.routes if settings.routes.count(key) > 1}):
        reader.refuse("routes", f"{route_key!r} is listed twice", "list every route key once")
    for route_key in settings.routes:
        if route_key in catalogue.LIFECYCLE_ROUTES:
            if route_key not in handed_over:
                reader.refuse(
                    "routes",
                    f"{route_key!r} belongs to the platform",
                    "remove it; if the platform's team has handed it over, name it in "
                    "handedOverRoutes with the reason and its former Lambda",
                )
        elif route_key not in catalogue.ROUTES:
            reader.refuse(
                "routes",
                f"{route_key!r} is not a route that the handler serves"
                + reader.suggestion(route_key, catalogue.ROUTES),
                f"choose among {', '.join(catalogue.ROUTES)}",
            )
    for route in settings.handed_over_routes:
        if route.route_key and route.route_key not in settings.routes:
            reader.refuse(
                "handedOverRoutes",
                f"{route.route_key!r} is handed over, but routes does not list it",
                "add it to routes, or remove the hand-over",
            )
        if route.route_key in catalogue.LIFECYCLE_ROUTES and not route.former_function:
            reader.refuse(
                "handedOverRoutes",
                f"{route.route_key!r} names no formerFunction, so the other apps' messages "
                "would be lost",
                "name the platform's Lambda that served it until now",
            )
