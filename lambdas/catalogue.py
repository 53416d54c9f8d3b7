"""What a deployer must know of the Lambdas: routes, entry points, environment, permissions, metrics.

The only module of this room that another room imports. It imports nothing but the standard library, so that
reading it costs nothing, and what stands here stands nowhere else.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# --- Routes ---------------------------------------------------------------------------------------

MERCHANT_ROUTES: Final = (
    "PING",
    "HEARTBEAT",
    "REGISTER_CONNECTION",
    "SUBSCRIBE_ORDERS",
    "BUSINESS_STATUS_UPDATE",
    "MERCHANT_LOGOUT",
    "order_message",
)
"""Route keys that are ours on every stage."""

HANDED_OVER_ROUTES: Final = (
    "heartbeat",
    "subscribe_business_status",
    "unsubscribe_business_status",
    "subscribe_order",
    "unsubscribe_order",
)
"""Route keys that the platform serves on its live API, and may hand over to us."""

LIFECYCLE_ROUTES: Final = ("$connect", "$disconnect", "$default")
"""Route keys that belong to the platform, unless it handed them over with a reason."""

ROUTES: Final = MERCHANT_ROUTES + HANDED_OVER_ROUTES
"""Route keys that the websocket handler serves; a configured route outside it is refused."""


# --- Environment ----------------------------------------------------------------------------------


class Env(StrEnum):
    """Names of the environment variables that the Lambdas read."""

    CONNECTIONS_TABLE = "WEBSOCKET_CONNECTIONS_TABLE"
    SUBSCRIPTIONS_TABLE = "WEBSOCKET_SUBSCRIPTIONS_TABLE"
    API_ID = "SHARED_WEBSOCKET_API_ID"
    ENDPOINT = "WEBSOCKET_ENDPOINT"
    """The https management endpoint, stage included; never the wss URL."""
    BUSINESSES_TABLE = "BUSINESSES_TABLE"
    ORDERS_TABLE = "ORDERS_TABLE"
    """Absent where the stack has no orders table."""
    STAGE = "STAGE"
    FANOUT_QUEUE_URL = "FANOUT_QUEUE_URL"
    IDENTITY_MODE = "IDENTITY_MODE"
    """`token`, `authorizer` or `connection`."""
    USER_POOLS = "USER_POOLS"
    """JSON: a list of {id, issuer, clientIds, entityType, jwksUrl}."""
    FORMER_FUNCTIONS = "FORMER_FUNCTIONS"
    """JSON: lifecycle route key -> name or ARN of the platform's Lambda that served it before the hand-over."""
    LOG_LEVEL = "POWERTOOLS_LOG_LEVEL"
    SERVICE = "POWERTOOLS_SERVICE_NAME"
    METRICS_NAMESPACE = "POWERTOOLS_METRICS_NAMESPACE"


METRICS_NAMESPACE: Final = "OrderReceiver"


# --- Permissions ----------------------------------------------------------------------------------


class Resource(StrEnum):
    """What a statement speaks of; the deployer knows the ARNs behind each name."""

    CONNECTIONS = "connections table"
    CONNECTIONS_BY_USER = "connections index userId-connectedAt-index"
    SUBSCRIPTIONS = "subscriptions table"
    SUBSCRIPTIONS_BY_TOPIC = "subscriptions index topic-createdAt-index"
    SUBSCRIPTIONS_BY_USER = "subscriptions index userId-topic-index"
    BUSINESSES = "businesses table"
    ORDERS = "orders table"
    ORDERS_INDEXES = "orders indexes"
    ORDERS_STREAM = "orders stream"
    FANOUT_QUEUE = "fan-out queue"
    DEAD_LETTERS = "dead-letter queue"
    MANAGEMENT = "POST/@connections/*"
    FORMER_FUNCTIONS = "the platform's former Lambdas"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What one role may do, and with what. Left out where the stack has no such resource."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[Resource, ...]


@dataclass(frozen=True, kw_only=True)
class EntryPoint:
    """One Lambda: where its handler stands and what it needs."""

    name: str
    handler: str
    timeout: int
    """Seconds."""
    memory_size: int
    """MB."""
    statements: tuple[Statement, ...]


# --- Entry points ---------------------------------------------------------------------------------

WEBSOCKET: Final = EntryPoint(
    name="websocket",
    handler="lambdas.websocket.handler",
    timeout=29,
    memory_size=512,
    statements=(
        Statement(
            sid="ReadWhoAsks",
            actions=("dynamodb:GetItem",),
            resources=(
                Resource.CONNECTIONS,
                Resource.SUBSCRIPTIONS,
                Resource.BUSINESSES,
                Resource.ORDERS,
            ),
        ),
        Statement(
            sid="WriteOwnRows",
            actions=(
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
                "dynamodb:DeleteItem",
                "dynamodb:ConditionCheckItem",
            ),
            resources=(Resource.CONNECTIONS, Resource.SUBSCRIPTIONS),
        ),
        Statement(
            sid="ToggleBusiness",
            actions=("dynamodb:UpdateItem",),
            resources=(Resource.BUSINESSES,),
        ),
        Statement(
            sid="FindRows",
            actions=("dynamodb:Query",),
            resources=(Resource.CONNECTIONS_BY_USER, Resource.SUBSCRIPTIONS_BY_TOPIC),
        ),
        Statement(
            sid="QueueEvents",
            actions=("sqs:SendMessage",),
            resources=(Resource.FANOUT_QUEUE,),
        ),
        Statement(
            sid="PostToConnections",
            actions=("execute-api:ManageConnections",),
            resources=(Resource.MANAGEMENT,),
        ),
        Statement(
            sid="PassOnForeignMessages",
            actions=("lambda:InvokeFunction",),
            resources=(Resource.FORMER_FUNCTIONS,),
        ),
    ),
)
"""One handler for every route that we own."""

ORDER_EVENTS: Final = EntryPoint(
    name="order_events",
    handler="lambdas.order_events.handler",
    timeout=60,
    memory_size=512,
    statements=(
        Statement(
            sid="ReadStream",
            actions=(
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            ),
            resources=(Resource.ORDERS_STREAM,),
        ),
        Statement(
            sid="KeepDeadLetters",
            actions=("sqs:SendMessage",),
            resources=(Resource.DEAD_LETTERS,),
        ),
    ),
)
"""Consumes the orders stream; exists only where the stack has an orders table."""

FANOUT: Final = EntryPoint(
    name="fanout",
    handler="lambdas.fanout.handler",
    timeout=60,
    memory_size=1769,
    statements=(
        Statement(
            sid="ReadQueue",
            actions=("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
            resources=(Resource.FANOUT_QUEUE,),
        ),
    ),
)
"""The SQS-fed worker that delivers events to large audiences; 1,769 MB is one vCPU."""

JANITOR: Final = EntryPoint(
    name="janitor",
    handler="lambdas.janitor.handler",
    timeout=300,
    memory_size=512,
    statements=(),
)
"""Scheduled sweep of rows that outlived their connection, and the gauges."""

ENTRY_POINTS: Final = (WEBSOCKET, ORDER_EVENTS, FANOUT, JANITOR)

JANITOR_PERIOD_MINUTES: Final = 15
