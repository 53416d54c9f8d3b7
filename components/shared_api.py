"""Finds the shared API by id, a stack's output or a name, and checks its kind."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws

from components.invocation import answered
from components.refusal import Findings
from components.settings import Settings

ROUTE_SELECTION: Final = "$request.body.action"
API_ID_OUTPUT: Final = "sharedWebSocketApiId"
"""The output of a referenced stack that names the shared API."""


def find_api(settings: Settings, findings: Findings) -> aws.apigatewayv2.GetApiResult | None:
    """The shared API, by id, else by stack reference, else by name."""
    before = len(findings.problems)
    api_id = settings.shared_api_id
    if not api_id and settings.shared_stack_reference:
        api_id = _api_id_of_stack(settings.shared_stack_reference, findings)
        if not api_id:
            return None
    if api_id:
        api = answered(
            lambda: aws.apigatewayv2.get_api(api_id=api_id), f"shared API {api_id}", findings
        )
    else:
        api = _find_api_by_name(settings, findings)
    if api is not None:
        _check_api(api, findings)
    return api if len(findings.problems) == before else None


def _api_id_of_stack(reference: str, findings: Findings) -> str:
    # The engine's own look-up answers at once, where a StackReference resource answers only later.
    result = answered(
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
    named = answered(lambda: aws.apigatewayv2.get_apis(name=name), subject, findings)
    if named is None:
        return None
    candidates = [
        api
        for api_id in sorted(named.ids)
        if (api := answered(lambda i=api_id: aws.apigatewayv2.get_api(api_id=i), subject, findings))
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
