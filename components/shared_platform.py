"""The look-up of the shared platform: by id, stack reference or name; verified, never changed."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import preflight
from components.invocation import answered
from components.refusal import Findings, PlatformRefused
from components.settings import Settings
from components.shared_api import find_api
from components.table_contract import (
    BUSINESSES,
    CONNECTIONS,
    ORDERS,
    SUBSCRIPTIONS,
    TableContract,
    check_table,
)


@dataclass(frozen=True, kw_only=True)
class SharedTable:
    """A table of the platform."""

    name: str
    arn: str
    stream_arn: str = ""


@dataclass(frozen=True, kw_only=True)
class SharedPlatform:
    """What the order receiver attaches to; everything here belongs to somebody else."""

    api_id: str
    execution_arn: str
    endpoint: str
    """`wss://...` without the stage."""
    stage: str
    connections: SharedTable
    subscriptions: SharedTable
    businesses: SharedTable
    orders: SharedTable | None

    @property
    def web_socket_url(self) -> str:
        """What a client connects to; without the stage the gateway answers 403."""
        return f"{self.endpoint}/{self.stage}"

    @property
    def management_endpoint(self) -> str:
        """What @connections is called at: the same address over https (http in a local cloud)."""
        return re.sub(r"^ws", "http", self.web_socket_url)

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return self.execution_arn.split(":")[1]

    @property
    def region(self) -> str:
        """Where the API is."""
        return self.execution_arn.split(":")[3]

    @property
    def account(self) -> str:
        """Who the API belongs to."""
        return self.execution_arn.split(":")[4]


def function_arn(platform: SharedPlatform, function: str) -> str:
    """The ARN of a Lambda that is named by its name or its ARN."""
    if function.startswith("arn:"):
        return function
    return (
        f"arn:{platform.partition}:lambda:{platform.region}:{platform.account}:function:{function}"
    )


def look_up(settings: Settings, *, function_name: str) -> SharedPlatform:
    """Find the platform and verify it.

    `function_name` is the Lambda that will serve our routes: a route that it serves already is
    ours. Raises PlatformRefused with everything that is wrong. What cannot be decided is logged as
    a warning.
    """
    findings = Findings()
    contracts = _table_contracts(settings)
    expiring = tuple(name for name, contract in contracts.items() if contract.ttl)
    # boto3's reads go on beside Pulumi's look-ups, which take the main thread.
    with ThreadPoolExecutor(max_workers=1) as pool:
        session = pool.submit(preflight.session, settings)
        api = find_api(settings, findings)
        gateway = pool.submit(preflight.read_gateway, session.result(), api.id) if api else None
        lifetimes = pool.submit(preflight.read_time_to_live, session.result(), expiring)
        tables = {
            name: _look_up_table(name, contract, findings) for name, contract in contracts.items()
        }
        for name, attribute in lifetimes.result().items():
            if tables[name] is not None:
                preflight.check_time_to_live(name, attribute, findings)
        if gateway is not None:
            preflight.check_gateway(gateway.result(), settings, function_name, findings)
    for warning in findings.warnings:
        pulumi.log.warn(warning)
    if api is None or findings.problems:
        raise PlatformRefused(findings.problems)
    return SharedPlatform(
        api_id=api.id,
        execution_arn=api.execution_arn,
        endpoint=api.api_endpoint.rstrip("/"),
        stage=settings.shared_stage,
        connections=_present(tables[settings.connections_table]),
        subscriptions=_present(tables[settings.subscriptions_table]),
        businesses=_present(tables[settings.businesses_table]),
        orders=_present(tables[settings.orders_table]) if settings.orders_table else None,
    )


def _present(table: SharedTable | None) -> SharedTable:
    if table is None:  # a table that is absent has already been refused
        raise AssertionError("a verified platform has all its tables")
    return table


def _table_contracts(settings: Settings) -> dict[str, TableContract]:
    contracts = {
        settings.connections_table: CONNECTIONS,
        settings.subscriptions_table: SUBSCRIPTIONS,
        settings.businesses_table: BUSINESSES,
    }
    if settings.orders_table:
        contracts[settings.orders_table] = ORDERS
    return contracts


def _look_up_table(name: str, contract: TableContract, findings: Findings) -> SharedTable | None:
    table = answered(
        lambda: aws.dynamodb.get_table(name=name), f"{contract.role} table {name}", findings
    )
    if table is None:
        return None
    check_table(name, contract, table, findings)
    return SharedTable(name=name, arn=table.arn, stream_arn=table.stream_arn or "")
