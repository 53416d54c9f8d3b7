"""The pack's own house: its exemptions, and the platform as its settings describe it."""

from collections.abc import Iterable
from typing import Any, Final

from policies.model import NOTHING, Finding
from policies.rule import ADVISORY, Outcome, Rule, Severity
from policies.stack import Stack

NAME: Final = "pack-is-in-order"

_TEXTS: Final[dict[str, Any]] = {"type": "array", "items": {"type": "string"}}


def check_stack(stack: Stack) -> Iterable[Outcome]:
    """Say of every exemption whether it is used, unused, expiring, expired or malformed."""
    for line in stack.settings.exemptions.report():
        yield Finding(resource=NOTHING, problem=line)


RULE = Rule(
    name=NAME,
    enforcement=ADVISORY,
    severity=Severity.LOW,
    stops="An exemption is in use, or needs attention.",
    why="An exemption that nobody looks at again is a rule that does not hold.",
    fix="renew, correct or remove the entry in policies/exemptions.yaml.",
    link="https://www.pulumi.com/docs/iac/packages-and-automation/crossguard/configuration/",
    check_stack=check_stack,
    options={
        "sharedApis": {
            "type": "object",
            "description": "Stage -> ids of its shared API, and platform routes handed over there.",
            "additionalProperties": {
                "type": "object",
                "properties": {"ids": _TEXTS, "handedOverRoutes": _TEXTS},
                "additionalProperties": False,
            },
        },
        "sharedApiName": {
            "type": "string",
            "default": "WizzUser-WebSocket-*",
            "description": "The name of the shared API; * and ? match.",
        },
        "sharedTables": {
            **_TEXTS,
            "default": [
                "WizzUser_websocket_connections_*",
                "WizzUser_websocket_subscriptions_*",
            ],
            "description": "The names of the shared tables; * and ? match.",
        },
        "platformRoutes": {
            **_TEXTS,
            "description": "Route keys that the platform serves unless it handed them over.",
        },
    },
)
