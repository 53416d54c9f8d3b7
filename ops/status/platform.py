"""What we rely on of the shared platform, compared with how it stands now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from ops.deployed import Deployed
from ops.errors import code_of

ROUTE_SELECTION = "$request.body.action"
CONNECTION_INDEXES = ("userId-connectedAt-index",)
SUBSCRIPTION_INDEXES = ("topic-createdAt-index", "userId-topic-index")


def drift(deployed: Deployed, *, profile: str | None) -> list[str]:
    """Every difference from what we rely on, as sentences; empty where there is none."""
    found: list[str] = []
    gateway = deployed.client("apigatewayv2", profile=profile)
    try:
        api = gateway.get_api(ApiId=deployed.api_id)
        stages = gateway.get_stages(ApiId=deployed.api_id)["Items"]
        keys = _route_keys(gateway, deployed.api_id)
    except ClientError as error:
        return [f"the API {deployed.api_id} cannot be read: {code_of(error)}"]
    found.extend(api_drift(api, stages, deployed.stage))
    missing = [key for key in deployed.routes if key not in keys]
    found.extend(f"our route {key} is gone from the API" for key in missing)
    dynamodb = deployed.client("dynamodb", profile=profile)
    for table, key, indexes in (
        (deployed.connections_table, "connectionId", CONNECTION_INDEXES),
        (deployed.subscriptions_table, "subscriptionId", SUBSCRIPTION_INDEXES),
    ):
        try:
            description = dynamodb.describe_table(TableName=table)["Table"]
        except ClientError as error:
            found.append(f"the table {table} cannot be read: {code_of(error)}")
            continue
        found.extend(table_drift(description, key, indexes))
    return found


def api_drift(api: Mapping[str, Any], stages: Sequence[Mapping[str, Any]], stage: str) -> list[str]:
    """Differences of the API itself and of the stage that we are on."""
    found: list[str] = []
    if api.get("ProtocolType") != "WEBSOCKET":
        found.append(f"the API's protocol is {api.get('ProtocolType')}, not WEBSOCKET")
    if api.get("RouteSelectionExpression") != ROUTE_SELECTION:
        selection = api.get("RouteSelectionExpression")
        found.append(f"the API selects routes by {selection}, not {ROUTE_SELECTION}")
    ours = next((item for item in stages if item.get("StageName") == stage), None)
    if ours is None:
        found.append(f"the API has no stage {stage}")
    elif not ours.get("AutoDeploy"):
        found.append(f"the stage {stage} no longer deploys by itself: new routes will not be live")
    return found


def table_drift(table: Mapping[str, Any], key: str, indexes: Sequence[str]) -> list[str]:
    """Differences of a shared table's key and indexes."""
    name = table.get("TableName")
    keys = [part["AttributeName"] for part in table.get("KeySchema", ())]
    found = [] if keys == [key] else [f"the table {name} is keyed by {keys}, not {key}"]
    present = {
        index["IndexName"]
        for index in table.get("GlobalSecondaryIndexes", ())
        if index.get("IndexStatus", "ACTIVE") == "ACTIVE"
    }
    found.extend(
        f"the table {name} has no usable index {index}" for index in indexes if index not in present
    )
    return found


def _route_keys(gateway: Any, api_id: str) -> set[str]:
    paginator = gateway.get_paginator("get_routes")
    return {
        str(route["RouteKey"])
        for page in paginator.paginate(ApiId=api_id)
        for route in page["Items"]
    }
