"""The look-up of the shared platform: by id, stack reference or name; verified, never changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import pulumi
import pulumi_aws as aws

from components import preflight
from components.refusal import Findings, PlatformRefused
from components.settings import Settings
from components.table_contract import (
    BUSINESSES,
    CONNECTIONS,
    ORDERS,
    SUBSCRIPTIONS,
    TableContract,
    check_table,
)

ROUTE_SELECTION: Final = "$request.body.action"
API_ID_OUTPUT: Final = "sharedWebSocketApiId"
"""The output of a referenced stack that names the shared API."""

Found = TypeVar("Found")


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
        api = _find_api(settings, findings)
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


# --- Pulumi's look-ups ----------------------------------------------------------------------------


def _invoke(look_up: Callable[[], Found], subject: str, findings: Findings) -> Found | None:
    """The result of a look-up; None, and a problem that says why, where it found nothing."""
    try:
        return look_up()
    except Exception as failure:  # noqa: BLE001  Pulumi raises nothing narrower from a failed look-up
        reason = str(failure)
    if re.search(
        r"not\s?found|couldn't find|could not find|no matching|there is no", reason, re.IGNORECASE
    ):
        findings.refuse(
            subject,
            "does not exist in this account and Region",
            "correct the name, or check aws:region and the credentials; "
            "the platform's team provides it",
        )
    else:
        findings.refuse(
            subject,
            f"could not be looked up: {reason}",
            "see that the credentials may read it, and try again",
        )
    return None


def _find_api(settings: Settings, findings: Findings) -> aws.apigatewayv2.GetApiResult | None:
    """The shared API, by id, else by stack reference, else by name."""
    before = len(findings.problems)
    api_id = settings.shared_api_id
    if not api_id and settings.shared_stack_reference:
        api_id = _api_id_of_stack(settings.shared_stack_reference, findings)
        if not api_id:
            return None
    if api_id:
        api = _invoke(
            lambda: aws.apigatewayv2.get_api(api_id=api_id), f"shared API {api_id}", findings
        )
    else:
        api = _find_api_by_name(settings, findings)
    if api is not None:
        _check_api(api, findings)
    return api if len(findings.problems) == before else None


def _api_id_of_stack(reference: str, findings: Findings) -> str:
    # The engine's own look-up answers at once, where a StackReference resource answers only later.
    result = _invoke(
        lambda: pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": reference}).value,
        f"stack {reference}",
        findings,
    )
    if result is None:
        return ""
    outputs: dict[str, object] = result.get("outputs") or {}
    api_id = outputs.get(API_ID_OUTPUT)
    if isinstance(api_id, str) and api_id:
        return api_id
    findings.refuse(
        f"stack {reference}",
        f"has no output {API_ID_OUTPUT} (it has: {', '.join(sorted(outputs)) or 'none'})",
        "have its owner export the API's id under that name, or set sharedApiId",
    )
    return ""


def _find_api_by_name(
    settings: Settings, findings: Findings
) -> aws.apigatewayv2.GetApiResult | None:
    name = settings.shared_api_name
    subject = f"shared API {name}"
    named = _invoke(lambda: aws.apigatewayv2.get_apis(name=name), subject, findings)
    if named is None:
        return None
    candidates = [
        api
        for api_id in sorted(named.ids)
        if (api := _invoke(lambda i=api_id: aws.apigatewayv2.get_api(api_id=i), subject, findings))
    ]
    web_socket = [api for api in candidates if api.protocol_type == "WEBSOCKET"]
    if len(web_socket) == 1:
        return web_socket[0]
    if len(web_socket) > 1:
        findings.refuse(
            subject,
            "is the name of several WebSocket APIs: " + ", ".join(api.id for api in web_socket),
            "set sharedApiId to the one that the platform's team names",
        )
    elif candidates:
        return candidates[0]  # of another protocol, which the verification says
    else:
        findings.refuse(
            subject,
            f"does not exist in {settings.region}",
            "check sharedApiName (or set sharedApiId), aws:region and the credentials; "
            "the platform's stack provides the API, never create one of your own",
        )
    return None


def _check_api(api: aws.apigatewayv2.GetApiResult, findings: Findings) -> None:
    subject = f"shared API {api.name} ({api.id})"
    if api.protocol_type != "WEBSOCKET":
        findings.refuse(
            subject,
            f"is an API of protocol {api.protocol_type}, not WEBSOCKET",
            "set sharedApiId or sharedApiName to the platform's WebSocket API",
        )
    elif api.route_selection_expression != ROUTE_SELECTION:
        findings.refuse(
            subject,
            f"selects routes by {api.route_selection_expression}, "
            f"not by {ROUTE_SELECTION}: our route keys would never match",
            "see that this is the shared API; its owner sets the expression",
        )


def _look_up_table(name: str, contract: TableContract, findings: Findings) -> SharedTable | None:
    table = _invoke(
        lambda: aws.dynamodb.get_table(name=name), f"{contract.role} table {name}", findings
    )
    if table is None:
        return None
    check_table(name, contract, table, findings)
    return SharedTable(name=name, arn=table.arn, stream_arn=table.stream_arn or "")
