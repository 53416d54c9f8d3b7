"""With IAM enforced, the websocket Lambda's role is enough, and without any statement it is not.

The emulator checks what the Lambda calls against its role. The roles of the others are held by
`test_least_privilege`, call by call.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from lambdas.catalogue import ROUTES, WEBSOCKET, Env, Resource
from sandbox.cloud import Cloud
from sandbox.platform import Platform, ensure
from sandbox.platform.tables import BUSINESSES, CONNECTIONS, ORDERS, SUBSCRIPTIONS
from tests.gateway.devices import Device, Message
from tests.gateway.emulated import LAMBDAS, create_function, packed, serve
from tests.gateway.queues import Queue

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("auth-cloud")]

ACCOUNT = "000000000000"
ROLE = "guarded-websocket"


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """Our websocket Lambda on a cloud that enforces roles."""

    cloud: Cloud
    platform: Platform
    queue: Queue

    def arns(self) -> dict[Resource, list[str]]:
        tables = f"arn:aws:dynamodb:{self.cloud.region}:{ACCOUNT}:table"
        management = (
            f"arn:aws:execute-api:{self.cloud.region}:{ACCOUNT}:{self.platform.api_id}"
            f"/{self.platform.stage}/POST/@connections/*"
        )
        return {
            Resource.CONNECTIONS: [f"{tables}/{CONNECTIONS.name}"],
            Resource.CONNECTIONS_BY_USER: [
                f"{tables}/{CONNECTIONS.name}/index/userId-connectedAt-index"
            ],
            Resource.SUBSCRIPTIONS: [f"{tables}/{SUBSCRIPTIONS.name}"],
            Resource.SUBSCRIPTIONS_BY_TOPIC: [
                f"{tables}/{SUBSCRIPTIONS.name}/index/topic-createdAt-index"
            ],
            Resource.SUBSCRIPTIONS_BY_USER: [
                f"{tables}/{SUBSCRIPTIONS.name}/index/userId-topic-index"
            ],
            Resource.BUSINESSES: [f"{tables}/{BUSINESSES.name}"],
            Resource.ORDERS: [f"{tables}/{ORDERS.name}"],
            Resource.ORDERS_INDEXES: [f"{tables}/{ORDERS.name}/index/*"],
            Resource.FANOUT_QUEUE: [self.queue.arn],
            Resource.MANAGEMENT: [management],
        }

    def allow(self, *, but: str | None = None) -> None:
        """Give the role what the catalogue says, all or but one statement."""
        arns = self.arns()
        statements = [
            {
                "Sid": statement.sid,
                "Effect": "Allow",
                "Action": list(statement.actions),
                "Resource": [arn for one in statement.resources for arn in arns.get(one, [])],
            }
            for statement in WEBSOCKET.statements
            if statement.sid != but and any(arns.get(one) for one in statement.resources)
        ]
        self.cloud.client("iam").put_role_policy(
            RoleName=ROLE,
            PolicyName="own-statements",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
        )

    @contextmanager
    def without(self, sid: str) -> Iterator[None]:
        self.allow(but=sid)
        try:
            yield
        finally:
            self.allow()

    @property
    def url(self) -> str:
        path = f"/_aws/execute-api/{self.platform.api_id}/{self.platform.stage}"
        return self.cloud.endpoint.replace("http", "ws", 1) + path


@pytest.fixture(scope="module")
def guarded(auth_cloud: Cloud) -> Guarded:
    platform = ensure(auth_cloud)
    found = Guarded(cloud=auth_cloud, platform=platform, queue=Queue.create(auth_cloud))
    issuer = f"https://cognito-idp.{auth_cloud.region}.amazonaws.com"
    pools = [{"issuer": f"{issuer}/{p['id']}", **p} for p in platform.user_pools(auth_cloud)]
    # No keys: a Lambda has those of its role, and the emulator gives it its own address.
    environment = {
        "AWS_ENDPOINT_URL": auth_cloud.endpoint,
        Env.CONNECTIONS_TABLE: CONNECTIONS.name,
        Env.SUBSCRIPTIONS_TABLE: SUBSCRIPTIONS.name,
        Env.BUSINESSES_TABLE: BUSINESSES.name,
        Env.ORDERS_TABLE: ORDERS.name,
        Env.FANOUT_QUEUE_URL: found.queue.url,
        Env.ENDPOINT: f"{auth_cloud.endpoint}/_aws/execute-api/{platform.api_id}/{platform.stage}",
        Env.USER_POOLS: json.dumps(pools),
    }
    code = packed({f"lambdas/{p.relative_to(LAMBDAS)}": p for p in LAMBDAS.rglob("*.py")})
    role = auth_cloud.client("iam").create_role(
        RoleName=ROLE,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
    )["Role"]["Arn"]
    found.allow()
    function = create_function(
        auth_cloud, "guarded-websocket", WEBSOCKET.handler, code, environment, role=role
    )
    serve(auth_cloud, platform, function, ROUTES)
    return found


def visit(guarded: Guarded) -> list[Message]:
    """A merchant's and a driver's day; gives what was refused."""
    cloud, platform = guarded.cloud, guarded.platform
    owner, driver = platform.user("merchant1"), platform.user("driver1")
    shop = str(owner.business_id)
    guarded.cloud.client("dynamodb").put_item(
        TableName=ORDERS.name,
        Item={
            "orderId": {"S": "guarded"},
            "businessId": {"S": shop},
            "driverId": {"S": driver.user_id},
            "customerId": {"S": "nobody"},
            "status": {"S": "pending"},
        },
    )
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("merchant1", "REGISTER_CONNECTION", {"businessId": shop}),
        ("driver1", "REGISTER_CONNECTION", {}),
        ("merchant1", "SUBSCRIBE_ORDERS", {"businessId": shop}),
        ("merchant1", "BUSINESS_STATUS_UPDATE", {"businessId": shop, "isActive": True}),
        ("merchant1", "BUSINESS_STATUS_UPDATE", {"businessId": shop, "isActive": False}),
        ("driver1", "order_message", {"orderId": "guarded", "to": "merchant", "body": "x"}),
        ("merchant1", "MERCHANT_LOGOUT", {"businessId": shop}),
    ]
    refused: list[Message] = []
    with Device(url=guarded.url) as merchant, Device(url=guarded.url) as other:
        devices = {"merchant1": merchant, "driver1": other}
        for name, action, fields in steps:
            proof = {"token": platform.token(cloud, name)} if action.startswith("REG") else {}
            answer = devices[name].ask(action, **fields, **proof)
            if answer.get("type") == "ERROR":
                refused.append(answer)
            elif action == "order_message" and not answer["delivered"]:
                refused.append({"type": "ERROR", "message": "nobody was reached"})
    return refused


def test_the_roles_are_enough(guarded: Guarded) -> None:
    assert visit(guarded) == []


@pytest.mark.parametrize(
    "sid",
    [
        statement.sid
        for statement in WEBSOCKET.statements
        if statement.sid not in ("PassOnForeignMessages", "RemoveRowsOfGoneConnections")
    ],
)
def test_without_a_statement_something_is_refused(guarded: Guarded, sid: str) -> None:
    with guarded.without(sid):
        assert visit(guarded) != []
    assert visit(guarded) == []
