"""The shared platform as it stands now, read for the comparison with what we rely on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ops.deployed import Deployed
from ops.status.contract import (
    BUSINESSES,
    CONNECTIONS,
    ORDERS,
    SUBSCRIPTIONS,
    Contract,
    Difference,
    api_differences,
    route_differences,
    table_differences,
)


def differences(deployed: Deployed, clients: Mapping[str, Any]) -> Iterator[Difference]:
    """Every difference from what we rely on. Raises ClientError and BotoCoreError."""
    gateway = clients["apigatewayv2"]
    yield from api_differences(
        gateway.get_api(ApiId=deployed.api_id),
        _items(gateway, "get_stages", deployed.api_id),
        deployed.stage,
    )
    routes = _items(gateway, "get_routes", deployed.api_id)
    integrations = _items(gateway, "get_integrations", deployed.api_id)
    yield from route_differences(
        deployed.routes,
        {route["RouteKey"]: route.get("Target", "") for route in routes},
        {item["IntegrationId"]: item.get("IntegrationUri", "") for item in integrations},
        deployed.functions.get("websocket"),
    )
    for name, contract in _tables(deployed, clients["lambda"]).items():
        client = clients["dynamodb"]
        try:
            table = client.describe_table(TableName=name)["Table"]
        except client.exceptions.ResourceNotFoundException:
            yield f"table {name}", "it is gone"
            continue
        ttl = _ttl(client, name) if contract.ttl else None
        yield from table_differences(name, table, ttl, contract)


def _tables(deployed: Deployed, client: Any) -> dict[str, Contract]:
    """The shared tables, those that only the Lambdas' configuration names among them."""
    tables = {
        deployed.connections_table: CONNECTIONS,
        deployed.subscriptions_table: SUBSCRIPTIONS,
    }
    function = deployed.functions.get("websocket")
    if function is not None:
        configuration = client.get_function_configuration(FunctionName=function)
        variables = configuration.get("Environment", {}).get("Variables", {})
        for name, contract in (("BUSINESSES_TABLE", BUSINESSES), ("ORDERS_TABLE", ORDERS)):
            if variables.get(name):
                tables[variables[name]] = contract
    return tables


def _ttl(client: Any, table: str) -> str | None:
    """The attribute that a table's rows expire by, where they do."""
    description = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    enabled = description.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
    return description.get("AttributeName") if enabled else None


def _items(gateway: Any, operation: str, api_id: str) -> list[Mapping[str, Any]]:
    pages = gateway.get_paginator(operation).paginate(ApiId=api_id)
    return [item for page in pages for item in page["Items"]]
