"""Our own stack breaks none of the rules, on any of its stages."""

import json
from pathlib import Path

import pytest
from pulumi.runtime import proto

from components import package
from policies.check import program
from policies.server import Analyzer
from tests.policies.conftest import ROOT
from tests.policies.running import ask, registrations

API = {
    "dev": "lwk0wf6rpl",
    "prod": "prodapi123",
    "sandbox": "local12345",
}
POOLS = json.dumps([{"id": "us-east-1_a", "clientIds": ["c"], "entityType": "merchant"}])
EXTRA = {
    # What the template of production leaves to be filled in.
    "prod": {
        "order-receiver:sharedApiId": API["prod"],
        "order-receiver:businessesTable": "WhizzMerchants_Businesses_prod",
        "order-receiver:ordersTable": "WizzOrders_prod",
        "order-receiver:userPools": POOLS,
        "order-receiver:alarmTopicArn": "arn:aws:sns:us-east-1:000000000000:pager",
    },
    "sandbox": {
        "order-receiver:userPools": POOLS,
        "order-receiver:lambdaRuntime": "python3.11",
        "order-receiver:lambdaArchitecture": "x86_64",
    },
}


def index(name: str, hash_key: str, range_key: str) -> dict[str, str]:
    return {
        "name": name,
        "hashKey": hash_key,
        "rangeKey": range_key,
        "projectionType": "ALL",
    }


def table(stage: str, name: str, hash_key: str, *indexes: dict[str, str]) -> dict:
    arn = f"arn:aws:dynamodb:us-east-1:000000000000:table/{name}"
    return {
        "id": name,
        "name": name,
        "arn": arn,
        "hashKey": hash_key,
        "rangeKey": "",
        "globalSecondaryIndexes": list(indexes),
        "streamEnabled": True,
        "streamViewType": "NEW_AND_OLD_IMAGES",
        "streamArn": f"{arn}/stream/2026-01-01T00:00:00.000",
    }


def look_ups(stage: str, config: dict[str, str]) -> dict[str, dict]:
    """What the platform's account would answer on a stage."""
    get_table = "aws:dynamodb/getTable:getTable"
    scheme = "ws" if stage == "sandbox" else "wss"
    api = API[stage]
    host = (
        f"127.0.0.1:4566/_aws/execute-api/{api}"
        if stage == "sandbox"
        else f"{api}.execute-api.us-east-1.amazonaws.com"
    )
    connections = f"WizzUser_websocket_connections_{stage}"
    subscriptions = f"WizzUser_websocket_subscriptions_{stage}"
    orders = config.get("order-receiver:ordersTable", "")
    businesses = config["order-receiver:businessesTable"]
    tables = {
        connections: table(
            stage,
            connections,
            "connectionId",
            index("userId-connectedAt-index", "userId", "connectedAt"),
        ),
        subscriptions: table(
            stage,
            subscriptions,
            "subscriptionId",
            index("topic-createdAt-index", "topic", "createdAt"),
            index("userId-topic-index", "userId", "topic"),
        ),
        businesses: table(stage, businesses, "businessId", index("email-index", "email", "")),
        orders: table(
            stage,
            orders,
            "orderId",
            index("BusinessIdIndex", "businessId", "createdAt"),
            index("StoreIdIndex", "storeId", "createdAt"),
        ),
    }
    return {
        "aws:apigatewayv2/getApis:getApis": {"id": "all", "ids": [api]},
        "aws:apigatewayv2/getApi:getApi": {
            "id": api,
            "apiId": api,
            "name": f"WizzUser-WebSocket-{stage}",
            "protocolType": "WEBSOCKET",
            "routeSelectionExpression": "$request.body.action",
            "apiEndpoint": f"{scheme}://{host}",
            "executionArn": f"arn:aws:execute-api:us-east-1:000000000000:{api}",
        },
        **{f"{get_table}#{name}": answer for name, answer in tables.items()},
    }


def test_the_look_ups_that_the_workflow_gives_are_those_of_dev():
    file = ROOT / "policies" / "look_ups" / "dev.json"
    expected = look_ups("dev", program.configuration_of(ROOT, "dev"))
    named = {key: answer for key, answer in expected.items() if not key.endswith("#")}
    assert json.loads(file.read_text(encoding="utf-8")) == named


@pytest.mark.parametrize("stage", ["sandbox", "dev", "prod"])
@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_our_own_stack_has_no_findings(stage, preview, monkeypatch, tmp_path: Path):
    archive = tmp_path / "package.zip"
    archive.write_bytes(b"PK\x05\x06" + bytes(18))
    monkeypatch.setattr(package, "find", lambda *args, **kwargs: archive)
    for name, value in program.isolated_environment({}).items():
        monkeypatch.setenv(name, value)
    config = program.configuration_of(ROOT, stage) | EXTRA.get(stage, {})
    registered = registrations(
        ROOT / "__main__.py",
        preview=preview,
        stack=stage,
        project="order-receiver",
        config=config,
        look_ups=look_ups(stage, config),
    )
    assert {"aws:lambda/function:Function", "aws:apigatewayv2/route:Route"} <= {
        entry["type"] for entry in registered
    }
    analyzer = Analyzer()
    analyzer.ConfigureStack(proto.AnalyzerStackConfigureRequest(stack=stage, config=config), None)
    assert [diagnostic.message for diagnostic in ask(analyzer, registered)] == []
