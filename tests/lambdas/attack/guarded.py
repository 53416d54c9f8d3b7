"""All our Lambdas on a cloud that holds each to its own role, and a look at what they are refused.

They are deployed by plain calls. The workers are called as their event sources call them; the
sources themselves are not there, because the emulator's read queues and streams whatever the role
of the Lambda allows.
"""

import itertools
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3

from lambdas.catalogue import ENTRY_POINTS, ROUTES, WEBSOCKET, EntryPoint, Env, Resource
from sandbox.cloud import Cloud
from sandbox.platform import Platform, ensure
from tests.gateway.devices import Device
from tests.gateway.emulated import (
    create_function,
    our_package,
    packed,
    serve,
    tables_of,
    told,
)
from tests.gateway.queues import Queue
from tests.gateway.shared_tables import BUSINESSES, CONNECTIONS, ORDERS, SUBSCRIPTIONS
from tests.gateway.tables import Table

ACCOUNT = "000000000000"
FORMER = "guarded-former"
ANSWER_OF_FORMER = """
def handler(event, context):
    print("former")
    return {"statusCode": 200, "body": "heard"}
"""


class RaisedError(Exception):
    """A Lambda ended with an exception."""


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """Our Lambdas, each with a role of its own."""

    cloud: Cloud
    platform: Platform
    queue: Queue
    tables: Mapping[str, Table]
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @classmethod
    def deploy(cls, cloud: Cloud) -> "Guarded":
        platform = ensure(cloud)
        queue = Queue.create(cloud)
        guarded = cls(cloud=cloud, platform=platform, queue=queue, tables=tables_of(cloud))
        # No keys: a Lambda has those of its role, and the emulator gives it its own address.
        environment = {
            "AWS_ENDPOINT_URL": cloud.endpoint,
            **told(cloud, platform, queue),
            Env.FORMER_FUNCTIONS: json.dumps({"$default": FORMER}),
        }
        former = packed({"former.py": ANSWER_OF_FORMER})
        create_function(cloud, FORMER, "former.handler", former, {}, role=_role(cloud, FORMER))
        code = our_package()
        for entry in ENTRY_POINTS:
            role = _role(cloud, _name(entry))
            guarded.allow(entry)
            function = create_function(
                cloud, _name(entry), entry.handler, code, environment, role=role
            )
            if entry is WEBSOCKET:
                serve(cloud, platform, function, ROUTES)
        return guarded

    # --- Roles --------------------------------------------------------------------------------

    def arns(self) -> dict[Resource, str]:
        tables = f"arn:aws:dynamodb:{self.cloud.region}:{ACCOUNT}:table"
        api = f"{self.cloud.region}:{ACCOUNT}:{self.platform.api_id}/{self.platform.stage}"
        subscriptions = f"{tables}/{SUBSCRIPTIONS.name}"
        return {
            Resource.CONNECTIONS: f"{tables}/{CONNECTIONS.name}",
            Resource.CONNECTIONS_BY_USER: f"{tables}/{CONNECTIONS.name}"
            "/index/userId-connectedAt-index",
            Resource.SUBSCRIPTIONS: subscriptions,
            Resource.SUBSCRIPTIONS_BY_TOPIC: f"{subscriptions}/index/topic-createdAt-index",
            Resource.SUBSCRIPTIONS_BY_USER: f"{subscriptions}/index/userId-topic-index",
            Resource.BUSINESSES: f"{tables}/{BUSINESSES.name}",
            Resource.ORDERS: f"{tables}/{ORDERS.name}",
            Resource.ORDERS_INDEXES: f"{tables}/{ORDERS.name}/index/*",
            Resource.ORDERS_STREAM: f"{tables}/{ORDERS.name}/stream/*",
            Resource.FANOUT_QUEUE: self.queue.arn,
            Resource.DEAD_LETTERS: self.queue.arn.replace("fanout-", "fanout-dead-"),
            Resource.MANAGEMENT: f"arn:aws:execute-api:{api}/POST/@connections/*",
            Resource.FORMER_FUNCTIONS: f"arn:aws:lambda:{self.cloud.region}:{ACCOUNT}"
            f":function:{FORMER}",
        }

    def allow(self, entry: EntryPoint, *, but: str | None = None) -> None:
        """Give the role of a Lambda what the catalogue says, all or but one statement."""
        arns = self.arns()
        statements = [
            {
                "Sid": statement.sid,
                "Effect": "Allow",
                "Action": list(statement.actions),
                "Resource": [arns[one] for one in statement.resources],
            }
            for statement in entry.statements
            if statement.sid != but
        ]
        self.cloud.client("iam").put_role_policy(
            RoleName=_name(entry),
            PolicyName="own-statements",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
        )

    @contextmanager
    def without(self, entry: EntryPoint, sid: str) -> Iterator[None]:
        self.allow(entry, but=sid)
        try:
            yield
        finally:
            self.allow(entry)

    # --- Calls --------------------------------------------------------------------------------

    def invoke(self, entry: EntryPoint, event: Mapping[str, Any]) -> Any:
        """What a Lambda answers to an event. Raises RaisedError."""
        answer = self.cloud.client("lambda").invoke(
            FunctionName=_name(entry), Payload=json.dumps(event).encode()
        )
        result = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise RaisedError(result)
        return result

    def has_had(self, device: Device, text: str) -> bool:
        """Whether a text was posted to a device: what is posted after it arrives after it."""
        sentinel = self.fresh("sentinel")
        body = json.dumps({"type": sentinel}).encode()
        management = boto3.client(
            "apigatewaymanagementapi",
            endpoint_url=self.url.replace("ws", "http", 1),
            region_name=self.cloud.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        management.post_to_connection(ConnectionId=device.connection_id, Data=body)
        device.wait(lambda message: message.get("type") == sentinel)
        return any(text in str(message) for message in device.inbox)

    # --- What is there ------------------------------------------------------------------------

    @property
    def url(self) -> str:
        path = f"/_aws/execute-api/{self.platform.api_id}/{self.platform.stage}"
        return self.cloud.endpoint.replace("http", "ws", 1) + path

    @property
    def business(self) -> str:
        return str(self.platform.user("merchant1").business_id)

    def table(self, name: str) -> Table:
        return self.tables[name]

    def fresh(self, name: str) -> str:
        """A name that was not given before."""
        return f"{name}-{next(self.numbers)}-{uuid.uuid4().hex[:8]}"

    @contextmanager
    def merchant(self) -> Iterator[Device]:
        """A device of the merchant that has registered and is subscribed to its orders."""
        with Device(url=self.url) as device:
            token = self.platform.token(self.cloud, "merchant1")
            answer = device.ask("REGISTER_CONNECTION", businessId=self.business, token=token)
            assert answer["type"] == "REGISTERED", answer
            device.connection_id = answer["connectionId"]
            answer = device.ask("SUBSCRIBE_ORDERS", businessId=self.business)
            assert answer["type"] == "SUBSCRIBED", answer
            yield device


def _name(entry: EntryPoint) -> str:
    return f"guarded-{entry.name}"


def _role(cloud: Cloud, name: str) -> str:
    answer = cloud.client("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
    )
    return answer["Role"]["Arn"]
