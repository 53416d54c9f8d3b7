"""Other ways to push to clients in real time, beside the shared API."""

import re
from collections.abc import Iterable
from typing import Final

from policies.kinds import EVENT_API, GRAPHQL_API, GRAPHQL_SCHEMA, IOT_DOMAIN
from policies.model import Finding, Resource
from policies.rule import ADVISORY, Outcome, Rule, Severity
from policies.settings import Settings
from policies.values import is_literally

_SUBSCRIPTIONS: Final = re.compile(r"\btype\s+Subscription\b|\bsubscription\s*:")


def check(resource: Resource, _settings: Settings) -> Iterable[Outcome]:
    """Warn about an event API, a GraphQL schema with subscriptions, and an IoT data endpoint."""
    if resource.kind == EVENT_API:
        yield Finding(resource=resource, problem="an AppSync Event API serves WebSocket clients")
    elif resource.kind == IOT_DOMAIN:
        service = resource.props.get("serviceType")
        if service is None or not is_literally(service, "CREDENTIAL_PROVIDER", "JOBS"):
            yield Finding(resource=resource, problem="an IoT data endpoint serves MQTT clients")
    else:
        schema = resource.props.text("schema") or resource.props.text("definition")
        if isinstance(schema, str) and _SUBSCRIPTIONS.search(schema):
            problem = "its GraphQL subscriptions are served over a WebSocket of AppSync"
            yield Finding(resource=resource, problem=problem)


RULE = Rule(
    name="realtime-channel-beside-platform",
    enforcement=ADVISORY,
    severity=Severity.MEDIUM,
    stops="A second real-time channel stands beside the shared API.",
    why="Clients that listen on two channels miss what is sent on the other one.",
    fix="send events through the shared API's connections; exempt a channel that is meant.",
    link="https://docs.aws.amazon.com/appsync/latest/eventapi/event-api-welcome.html",
    kinds=frozenset({EVENT_API, GRAPHQL_API, GRAPHQL_SCHEMA, IOT_DOMAIN}),
    check=check,
)
