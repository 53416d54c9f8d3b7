"""What a deployer must know of the Lambdas: routes, entry points, environment, rights, metrics.

The only module of this room that another room imports. It imports nothing but the standard library,
so that reading it costs nothing, and what stands here stands nowhere else.
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
    DEAD_LETTER_QUEUE_URL = "DEAD_LETTER_QUEUE_URL"
    """Where `order_events` puts a stream record that nobody can read."""
    IDENTITY_MODE = "IDENTITY_MODE"
    """`token`, `authorizer` or `connection`."""
    USER_POOLS = "USER_POOLS"
    """JSON: a list of {id, issuer, clientIds, entityType, jwksUrl}."""
    FORMER_FUNCTIONS = "FORMER_FUNCTIONS"
    """JSON: lifecycle route key -> name or ARN of the platform's Lambda that served it before."""
    LOG_LEVEL = "LOG_LEVEL"
    SERVICE = "SERVICE_NAME"
    METRICS_NAMESPACE = "METRICS_NAMESPACE"


METRICS_NAMESPACE: Final = "OrderReceiver"


# --- Metrics --------------------------------------------------------------------------------------

METRIC_DIMENSIONS: Final = ("stage", "entityType", "eventType")
"""Every metric of ours has exactly these; `all` stands where one does not apply."""

ANY_DIMENSION: Final = "all"


class Metric(StrEnum):
    """Names of the metrics that the Lambdas publish; counts, unless they say otherwise."""

    MESSAGES = "Messages"
    """Messages that the websocket handler answered; eventType is the route key."""
    REFUSED = "Refused"
    """Messages that it answered with an ERROR."""
    FAULTS = "Faults"
    """Those of them that it would have served, had nothing been wrong on our side."""
    RECIPIENTS = "FanoutRecipients"
    """Connections that an event was for, once each."""
    DELIVERED = "FanoutDelivered"
    """Posts that the management API took."""
    STALE = "FanoutStale"
    """Connections that turned out to be gone; their rows are removed."""
    THROTTLED = "FanoutThrottled"
    """Recipients that were put back because of 429, 5xx or a time-out."""
    FAILED = "FanoutFailed"
    """Recipients that were given up."""
    DURATION = "FanoutDurationMs"
    """Milliseconds from the start of a delivery to its last post."""
    EVENT_AGE = "EventAgeMs"
    """Milliseconds from the event at its source to its delivery; what users feel."""
    POISON = "PoisonRecords"
    """Stream records and queue messages that nobody can read."""
    ACTIVE_CONNECTIONS = "ActiveConnections"
    """Gauge by entityType: live registered connections at the janitor's last full pass."""
    STALE_ROWS = "StaleRowsSwept"
    """Rows of ours that outlived their connection and that the janitor removed."""


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
            sid="WriteRows",
            actions=("dynamodb:UpdateItem",),
            resources=(Resource.CONNECTIONS, Resource.SUBSCRIPTIONS),
        ),
        Statement(
            sid="EndSubscriptions",
            actions=("dynamodb:DeleteItem",),
            resources=(Resource.SUBSCRIPTIONS,),
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
            sid="CheckRecipients",
            actions=("dynamodb:BatchGetItem",),
            resources=(Resource.CONNECTIONS,),
        ),
        Statement(
            sid="RemoveRowsOfGoneConnections",
            actions=("dynamodb:BatchWriteItem",),
            resources=(Resource.CONNECTIONS, Resource.SUBSCRIPTIONS),
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

_DELIVER: Final = (
    Statement(
        sid="FindSubscribers",
        actions=("dynamodb:Query",),
        resources=(Resource.SUBSCRIPTIONS_BY_TOPIC,),
    ),
    Statement(
        sid="CheckAudience",
        actions=("dynamodb:BatchGetItem",),
        resources=(Resource.CONNECTIONS, Resource.ORDERS, Resource.BUSINESSES),
    ),
    Statement(
        sid="RemoveRowsOfGoneConnections",
        actions=("dynamodb:BatchWriteItem",),
        resources=(Resource.CONNECTIONS, Resource.SUBSCRIPTIONS),
    ),
    Statement(
        sid="HandOn",
        actions=("sqs:SendMessage",),
        resources=(Resource.FANOUT_QUEUE,),
    ),
    Statement(
        sid="PostToConnections",
        actions=("execute-api:ManageConnections",),
        resources=(Resource.MANAGEMENT,),
    ),
)
"""What delivery needs, whichever entry point runs it."""

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
        *_DELIVER,
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
        Statement(
            sid="NoteWhoWasTold",
            actions=("dynamodb:UpdateItem",),
            resources=(Resource.SUBSCRIPTIONS,),
        ),
        Statement(
            sid="FindPendingOrders",
            actions=("dynamodb:Query",),
            resources=(Resource.ORDERS_INDEXES,),
        ),
        *_DELIVER,
    ),
)
"""The SQS-fed worker that delivers events to large audiences; 1,769 MB is one vCPU."""

FANOUT_BATCH_SIZE: Final = 1
"""Queue messages of one invocation: each is a share of an audience, and shares go in parallel."""

FANOUT_MAX_RECEIVES: Final = 4
"""How often the queue gives out a message before it goes to the dead-letter queue."""

FANOUT_VISIBILITY_SECONDS: Final = 6 * FANOUT.timeout
"""A message is not given out again while a worker may still be at it. Six times the time-out, as
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html advises."""

JANITOR: Final = EntryPoint(
    name="janitor",
    handler="lambdas.janitor.handler",
    timeout=300,
    memory_size=512,
    statements=(
        Statement(
            sid="ReadRows",
            actions=("dynamodb:Scan",),
            resources=(Resource.CONNECTIONS, Resource.SUBSCRIPTIONS),
        ),
        Statement(
            sid="CheckConnections",
            actions=("dynamodb:BatchGetItem",),
            resources=(Resource.CONNECTIONS,),
        ),
        Statement(
            sid="RemoveRowsOfGoneConnections",
            actions=("dynamodb:BatchWriteItem",),
            resources=(Resource.SUBSCRIPTIONS,),
        ),
        Statement(
            sid="QueueOverdueEvents",
            actions=("sqs:SendMessage",),
            resources=(Resource.FANOUT_QUEUE,),
        ),
        Statement(
            sid="KeepProgress",
            actions=("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"),
            resources=(Resource.SUBSCRIPTIONS,),
        ),
    ),
)
"""Scheduled sweep of rows that outlived their connection, and the gauges."""

ENTRY_POINTS: Final = (WEBSOCKET, ORDER_EVENTS, FANOUT, JANITOR)

JANITOR_PERIOD_MINUTES: Final = 15
