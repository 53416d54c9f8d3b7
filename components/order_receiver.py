"""The order receiver: everything that we add to the shared platform, as one component."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.fanout import (
    QueueParts,
    ScheduleParts,
    create_queues,
    feed_from_queue,
    feed_from_stream,
    schedule,
)
from components.functions import FunctionParts, create_function, function_name
from components.monitoring import MonitoringParts, create_monitoring
from components.permissions import Arns
from components.routes import RoutesParts, create_routes
from components.settings import Settings
from components.shared_platform import SharedPlatform, function_arn
from lambdas import catalogue
from lambdas.catalogue import (
    ENTRY_POINTS,
    FANOUT,
    JANITOR,
    ORDER_EVENTS,
    WEBSOCKET,
    Env,
    Resource,
)


@dataclass(frozen=True, kw_only=True)
class OrderReceiverArgs:
    """What an order receiver is made of."""

    settings: Settings
    platform: SharedPlatform
    package: Path
    """The Lambda package, relative to the program."""


@dataclass(frozen=True, kw_only=True)
class OrderReceiverParts:
    """Its children."""

    queues: QueueParts
    functions: dict[str, FunctionParts]
    routes: RoutesParts
    sources: dict[str, aws.lambda_.EventSourceMapping]
    janitor_schedule: ScheduleParts
    monitoring: MonitoringParts


class OrderReceiver(pulumi.ComponentResource):
    """The merchants' app on the shared WebSocket API: Lambdas, routes, queues and their alarms.

    Nothing of the platform is created, changed or imported: it is named by the args.
    """

    parts: OrderReceiverParts
    shared_web_socket_api_id: pulumi.Output[str]
    web_socket_url: pulumi.Output[str]
    management_endpoint: pulumi.Output[str]
    connections_table: pulumi.Output[str]
    subscriptions_table: pulumi.Output[str]
    routes: pulumi.Output[list[str]]
    functions: pulumi.Output[dict[str, str]]
    fanout_queue_url: pulumi.Output[str]
    dashboard_url: pulumi.Output[str]

    def __init__(
        self, name: str, args: OrderReceiverArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("order-receiver:index:OrderReceiver", name, {}, opts)
        settings, platform = args.settings, args.platform
        queues = create_queues(name, stack=settings.stack, parent=self)
        environment = _environment(settings, platform, queues)
        arns = _arns(settings, platform, queues)
        functions = {
            entry_point.name: create_function(
                name,
                entry_point,
                settings=settings,
                package=args.package,
                environment=environment,
                arns=arns,
                parent=self,
                memory_size=settings.lambda_memory_size if entry_point is WEBSOCKET else 0,
            )
            for entry_point in ENTRY_POINTS
            if platform.orders or entry_point is not ORDER_EVENTS
        }
        routes = create_routes(
            name,
            route_keys=settings.routes,
            function=functions[WEBSOCKET.name].function,
            platform=platform,
            parent=self,
        )
        fanout = functions[FANOUT.name].function
        sources = {
            FANOUT.name: feed_from_queue(
                f"{name}-fanout", function=fanout, queue=queues.events, parent=fanout
            )
        }
        if platform.orders:
            order_events = functions[ORDER_EVENTS.name].function
            sources[ORDER_EVENTS.name] = feed_from_stream(
                f"{name}-order-events",
                function=order_events,
                stream_arn=platform.orders.stream_arn,
                dead_letters=queues.dead_letters,
                parent=order_events,
            )
        janitor = functions[JANITOR.name].function
        self.parts = OrderReceiverParts(
            queues=queues,
            functions=functions,
            routes=routes,
            sources=sources,
            janitor_schedule=schedule(
                f"{name}-janitor",
                physical_name=function_name(settings.stack, JANITOR),
                function=janitor,
                minutes=catalogue.JANITOR_PERIOD_MINUTES,
                dead_letters=queues.dead_letters,
                parent=janitor,
            ),
            monitoring=create_monitoring(
                name, settings=settings, platform=platform, functions=functions, parent=self
            ),
        )
        self._set_outputs(settings, platform)

    def _set_outputs(self, settings: Settings, platform: SharedPlatform) -> None:
        functions = {name: parts.function.name for name, parts in self.parts.functions.items()}
        self.shared_web_socket_api_id = pulumi.Output.from_input(platform.api_id)
        self.web_socket_url = pulumi.Output.from_input(platform.web_socket_url)
        self.management_endpoint = pulumi.Output.from_input(platform.management_endpoint)
        self.connections_table = pulumi.Output.from_input(platform.connections.name)
        self.subscriptions_table = pulumi.Output.from_input(platform.subscriptions.name)
        self.routes = pulumi.Output.from_input(list(settings.routes))
        self.functions = pulumi.Output.all(**functions)
        self.fanout_queue_url = self.parts.queues.events.url
        self.dashboard_url = pulumi.Output.from_input(self.parts.monitoring.dashboard_url)
        self.register_outputs(self.outputs())

    def outputs(self) -> dict[str, pulumi.Output[object]]:
        """What the stack exports, by the names that others rely on."""
        return {
            "sharedWebSocketApiId": self.shared_web_socket_api_id,
            "webSocketUrl": self.web_socket_url,
            "managementEndpoint": self.management_endpoint,
            "connectionsTable": self.connections_table,
            "subscriptionsTable": self.subscriptions_table,
            "routes": self.routes,
            "functions": self.functions,
            "fanoutQueueUrl": self.fanout_queue_url,
            "dashboardUrl": self.dashboard_url,
        }


def _environment(
    settings: Settings, platform: SharedPlatform, queues: QueueParts
) -> dict[str, pulumi.Input[str]]:
    """The environment that all Lambdas share; the names are in use elsewhere."""
    environment: dict[str, pulumi.Input[str]] = {
        Env.CONNECTIONS_TABLE: platform.connections.name,
        Env.SUBSCRIPTIONS_TABLE: platform.subscriptions.name,
        Env.API_ID: platform.api_id,
        Env.ENDPOINT: platform.management_endpoint,
        Env.BUSINESSES_TABLE: platform.businesses.name,
        Env.STAGE: platform.stage,
        Env.FANOUT_QUEUE_URL: queues.events.url,
        Env.DEAD_LETTER_QUEUE_URL: queues.dead_letters.url,
        Env.IDENTITY_MODE: settings.identity_mode,
        Env.USER_POOLS: json.dumps(
            [
                {
                    "id": pool.id,
                    "issuer": pool.issuer,
                    "clientIds": list(pool.client_ids),
                    "entityType": pool.entity_type,
                    "jwksUrl": pool.jwks_url or f"{pool.issuer}/.well-known/jwks.json",
                }
                for pool in settings.user_pools
            ]
        ),
        Env.LOG_LEVEL: "INFO",
        Env.SERVICE: "order-receiver",
        Env.METRICS_NAMESPACE: catalogue.METRICS_NAMESPACE,
    }
    if platform.orders:
        environment[Env.ORDERS_TABLE] = platform.orders.name
    former = {
        route.route_key: route.former_function
        for route in settings.handed_over_routes
        if route.former_function
    }
    if former:
        environment[Env.FORMER_FUNCTIONS] = json.dumps(former)
    return {str(key): value for key, value in environment.items()}


def _arns(settings: Settings, platform: SharedPlatform, queues: QueueParts) -> Arns:
    """The ARNs behind the catalogue's names; indexes one by one, never `*` of a table."""
    connections, subscriptions = platform.connections.arn, platform.subscriptions.arn
    arns: dict[Resource, list[pulumi.Input[str]]] = {
        Resource.CONNECTIONS: [connections],
        Resource.CONNECTIONS_BY_USER: [f"{connections}/index/userId-connectedAt-index"],
        Resource.SUBSCRIPTIONS: [subscriptions],
        Resource.SUBSCRIPTIONS_BY_TOPIC: [f"{subscriptions}/index/topic-createdAt-index"],
        Resource.SUBSCRIPTIONS_BY_USER: [f"{subscriptions}/index/userId-topic-index"],
        Resource.BUSINESSES: [platform.businesses.arn],
        Resource.FANOUT_QUEUE: [queues.events.arn],
        Resource.DEAD_LETTERS: [queues.dead_letters.arn],
        Resource.MANAGEMENT: [f"{platform.execution_arn}/{platform.stage}/POST/@connections/*"],
        Resource.FORMER_FUNCTIONS: [
            function_arn(platform, route.former_function)
            for route in settings.handed_over_routes
            if route.former_function
        ],
    }
    if platform.orders:
        arns[Resource.ORDERS] = [platform.orders.arn]
        arns[Resource.ORDERS_INDEXES] = [
            f"{platform.orders.arn}/index/BusinessIdIndex",
            f"{platform.orders.arn}/index/StoreIdIndex",
        ]
        arns[Resource.ORDERS_STREAM] = [platform.orders.stream_arn]
    return arns
