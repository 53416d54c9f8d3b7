"""A Pulumi engine that records what it is asked for, and a platform for it to look up."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pulumi.runtime import mocks as pulumi_mocks

from components import preflight

GET_APIS = "aws:apigatewayv2/getApis:getApis"
GET_API = "aws:apigatewayv2/getApi:getApi"
GET_TABLE = "aws:dynamodb/getTable:getTable"
STACK_OUTPUTS = "pulumi:pulumi:readStackOutputs"

PROJECT = "order-receiver"
STACK = "test"
ACCOUNT = "123456789012"
REGION = "us-east-1"
API_ID = "abc123"
ROOT = Path(__file__).resolve().parents[2]


def api(api_id: str = API_ID, **different: Any) -> dict[str, Any]:
    return {
        "id": api_id,
        "apiId": api_id,
        "name": f"WizzUser-WebSocket-{STACK}",
        "protocolType": "WEBSOCKET",
        "routeSelectionExpression": "$request.body.action",
        "apiEndpoint": f"wss://{api_id}.execute-api.{REGION}.amazonaws.com",
        "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api_id}",
    } | different


def table(name: str, hash_key: str, **indexes: tuple[str, str]) -> dict[str, Any]:
    arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
    return {
        "id": name,
        "name": name,
        "arn": arn,
        "hashKey": hash_key,
        "rangeKey": "",
        "streamEnabled": False,
        "streamArn": "",
        "streamViewType": "",
        "globalSecondaryIndexes": [
            {
                "name": index.replace("_", "-"),
                "hashKey": keys[0],
                "rangeKey": keys[1],
                "projectionType": "ALL",
            }
            for index, keys in indexes.items()
        ],
    }


def orders_table(name: str) -> dict[str, Any]:
    orders = table(
        name,
        "orderId",
        BusinessIdIndex=("businessId", "createdAt"),
        StoreIdIndex=("storeId", "createdAt"),
    )
    return orders | {
        "streamEnabled": True,
        "streamViewType": "NEW_AND_OLD_IMAGES",
        "streamArn": f"{orders['arn']}/stream/2026-01-01T00:00:00.000",
    }


CONNECTIONS = f"WizzUser_websocket_connections_{STACK}"
SUBSCRIPTIONS = f"WizzUser_websocket_subscriptions_{STACK}"
BUSINESSES = "WhizzMerchants_Businesses"
ORDERS = "WizzOrders"


def tables_of(stage: str, businesses: str, orders: str) -> dict[str, dict[str, Any]]:
    """The tables of a stage, as the platform documents them."""
    connections = f"WizzUser_websocket_connections_{stage}"
    subscriptions = f"WizzUser_websocket_subscriptions_{stage}"
    return {
        connections: table(
            connections, "connectionId", userId_connectedAt_index=("userId", "connectedAt")
        ),
        subscriptions: table(
            subscriptions,
            "subscriptionId",
            topic_createdAt_index=("topic", "createdAt"),
            userId_topic_index=("userId", "topic"),
        ),
        businesses: table(businesses, "businessId"),
        orders: orders_table(orders),
    }


@dataclass(kw_only=True)
class Platform:
    """What the account holds; a test spoils one thing of it."""

    apis: list[dict[str, Any]] = field(default_factory=lambda: [api()])
    tables: dict[str, dict[str, Any]] = field(
        default_factory=lambda: tables_of(STACK, BUSINESSES, ORDERS)
    )
    stack_outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    gateway: preflight.Gateway = field(
        default_factory=lambda: preflight.Gateway(
            stages={STACK: True},
            routes={"heartbeat": "integrations/i1", "subscribe_order": "integrations/i1"},
            integrations={"i1": invocation_uri("WizzUser-WebSocketDefault-test")},
        )
    )
    time_to_live: dict[str, Any] = field(
        default_factory=lambda: {CONNECTIONS: "ttl", SUBSCRIPTIONS: "ttl"}
    )


def for_stage(platform: Platform, stage: str, api_id: str) -> None:
    """Have the platform be that of another stage."""
    platform.apis = [api(api_id, name=f"WizzUser-WebSocket-{stage}")]
    for suffix in ("", f"_{stage}"):
        platform.tables |= tables_of(stage, f"{BUSINESSES}{suffix}", f"{ORDERS}{suffix}")
    platform.time_to_live = dict.fromkeys(platform.tables, "ttl")
    platform.gateway = preflight.Gateway(stages={stage: True}, routes={}, integrations={})


def invocation_uri(function: str) -> str:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"


class Engine(pulumi_mocks.Mocks):
    """Records every registration and look-up; answers look-ups from the platform."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.resources: list[pulumi_mocks.MockResourceArgs] = []
        self.invokes: list[pulumi_mocks.MockCallArgs] = []
        self.outputs: dict[str, Any] = {}

    def new_resource(self, args: pulumi_mocks.MockResourceArgs) -> tuple[str | None, dict]:
        self.resources.append(args)
        name = args.inputs.get("name", args.name)
        outputs = dict(args.inputs)
        if args.typ.startswith("aws:"):
            outputs |= computed(args.typ, name)
        return f"{args.name}-id", outputs

    def call(self, args: pulumi_mocks.MockCallArgs) -> dict | tuple:
        self.invokes.append(args)
        if args.token == GET_APIS:
            named = [a["id"] for a in self.platform.apis if a["name"] == args.args["name"]]
            return {"ids": named, "id": REGION}
        if args.token == GET_API:
            for found in self.platform.apis:
                if found["id"] == args.args["apiId"]:
                    return copy.deepcopy(found)
            return failure(f"reading API Gateway v2 API ({args.args['apiId']})")
        if args.token == GET_TABLE:
            name = args.args["name"]
            if name in self.platform.tables:
                return copy.deepcopy(self.platform.tables[name])
            return failure(f"reading DynamoDB Table ({name})")
        if args.token == STACK_OUTPUTS:
            return {"outputs": self.platform.stack_outputs[args.args["name"]]}
        raise AssertionError(f"the program makes a look-up that nobody expects: {args.token}")

    def of_type(self, typ: str) -> dict[str, dict[str, Any]]:
        """Logical name -> inputs, of the resources of a type."""
        return {args.name: args.inputs for args in self.resources if args.typ == typ}


def failure(what: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """A look-up that finds nothing, in the provider's words."""
    return {}, [("", f"{what}: couldn't find resource")]


def computed(typ: str, name: str) -> dict[str, Any]:
    """What AWS would add."""
    if typ == "aws:lambda/function:Function":
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        return {"arn": arn, "invokeArn": invocation_uri(name)}
    if typ == "aws:sqs/queue:Queue":
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        return {"arn": arn, "url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"}
    service = {"aws:cloudwatch/logGroup:LogGroup": "logs", "aws:iam/role:Role": "iam"}
    return {"arn": f"arn:aws:{service.get(typ, 'other')}:{REGION}:{ACCOUNT}:{name}"}


def as_text(value: Any) -> str:
    """A value as Pulumi hands it to a program."""
    return value if isinstance(value, str) else json.dumps(value)


def stack_file(stack: str) -> dict[str, str]:
    """The configuration of a stack of this repository."""
    document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    return {key: as_text(value) for key, value in document["config"].items()}
