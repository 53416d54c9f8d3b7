"""What of a template is retired: its own WebSocket API, and all that exists only for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from ops.errors import OperatorError
from ops.migrate.template import references, walk

_API: Final = "AWS::ApiGatewayV2::Api"
_SAM_API: Final = "AWS::Serverless::WebSocketApi"
_SAM_FUNCTION: Final = "AWS::Serverless::Function"
_PART_OF_API: Final = frozenset(
    f"AWS::ApiGatewayV2::{kind}"
    for kind in (
        "ApiGatewayManagedOverrides",
        "ApiMapping",
        "Authorizer",
        "Deployment",
        "Integration",
        "IntegrationResponse",
        "Model",
        "Route",
        "RouteResponse",
        "Stage",
    )
)
_FUNCTIONS: Final = frozenset({"AWS::Lambda::Function", _SAM_FUNCTION})
_NAMES_OF_FUNCTIONS: Final = frozenset({"AWS::Lambda::Alias", "AWS::Lambda::Version"})
_SAM_MAPPINGS: Final = frozenset(
    {"DocumentDB", "DynamoDB", "Kinesis", "MQ", "MSK", "SQS", "SelfManagedKafka"}
)
"""SAM's events that become an event source mapping, called `<function><event>`."""
_CONNECTIONS_TABLE: Final = re.compile(r"websocket-?connections", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Feed:
    """An event source of a function that tells the API's clients, and what it reads."""

    logical_id: str
    """Of the mapping; of a SAM event, the id that the transform gives its mapping."""
    function: str
    event: str | None
    """The name among the function's SAM `Events`; None for a mapping that is a resource."""
    source: str | None
    """ARN of the stream or queue, from the deployed mapping."""
    kind: str = "DynamoDB"
    """What it reads, where the template says so."""


@dataclass(frozen=True, kw_only=True)
class Legacy:
    """The logical ids of what is retired, and the feeds of the functions that stay."""

    apis: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()
    feeds: frozenset[Feed] = frozenset()
    """Those that the shared side reads too: left in place, every event would be told twice."""
    kept_feeds: frozenset[Feed] = frozenset()
    """Those that only the old functions read: they go on telling, through the shared API."""

    @property
    def all(self) -> frozenset[str]:
        """Every logical id that goes as a resource of the template."""
        feeds = {feed.logical_id for feed in self.feeds if feed.event is None}
        return self.apis | self.parts | self.permissions | self.tables | feeds


def find_legacy(
    template: dict[str, Any],
    sources: Mapping[str, str] | None = None,
    shared_streams: frozenset[str] | None = None,
) -> Legacy:
    """The template's own WebSocket API and all that exists only for it.

    HTTP APIs and their parts stay. A connections table is one whose logical id or name says so.
    `sources` has the deployed mappings' ARNs by logical id, `shared_streams` the ARNs that the
    shared side reads; a feed of which either is unknown counts as read by both.
    """
    resources = resources_of(template)
    apis = frozenset(name for name, resource in resources.items() if _is_own_api(resource))
    parts = {
        name
        for name, resource in resources.items()
        if resource.get("Type") in _PART_OF_API
        and references(properties_of(resource).get("ApiId")) & apis
    }
    permissions = {
        name
        for name, resource in resources.items()
        if resource.get("Type") == "AWS::Lambda::Permission"
        and references(properties_of(resource).get("SourceArn")) & apis
    }
    tables = {
        name
        for name, resource in resources.items()
        if resource.get("Type") == "AWS::DynamoDB::Table" and _is_connections_table(name, resource)
    }
    publishers = _publishers(resources, apis, frozenset(parts))
    feeds = frozenset(_feeds(resources, publishers, sources or {}))
    doubled = frozenset(feed for feed in feeds if _is_doubled(feed, shared_streams))
    return Legacy(
        apis=apis,
        parts=frozenset(parts),
        permissions=frozenset(permissions),
        tables=frozenset(tables),
        feeds=doubled,
        kept_feeds=feeds - doubled,
    )


def table_of_stream(arn: str) -> str:
    """The ARN of a stream without the stream's label: a table has a new label for every stream."""
    return arn.partition("/stream/")[0]


def name_text(resource: Mapping[str, Any], key: str = "TableName") -> str:
    """A resource's name as the template spells it; empty where CloudFormation makes it."""
    name = properties_of(resource).get(key, "")
    if isinstance(name, dict):
        name = cast("dict[str, Any]", name).get("Fn::Sub", "")
    return name if isinstance(name, str) else ""


def resources_of(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The template's resources. Raises OperatorError where it has none."""
    resources = template.get("Resources")
    if not isinstance(resources, dict):
        raise OperatorError("the template has no Resources")
    return cast("dict[str, dict[str, Any]]", resources)


def properties_of(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A resource's properties, empty where it has none."""
    properties = resource.get("Properties", {})
    return cast("dict[str, Any]", properties) if isinstance(properties, dict) else {}


def _is_own_api(resource: Mapping[str, Any]) -> bool:
    if resource.get("Type") == _SAM_API:
        return True
    protocol = str(properties_of(resource).get("ProtocolType", ""))
    return resource.get("Type") == _API and protocol.upper() == "WEBSOCKET"


def _is_connections_table(name: str, resource: dict[str, Any]) -> bool:
    return bool(_CONNECTIONS_TABLE.search(name) or _CONNECTIONS_TABLE.search(name_text(resource)))


def _publishers(
    resources: dict[str, dict[str, Any]], apis: frozenset[str], parts: frozenset[str]
) -> frozenset[str]:
    """The functions that can tell the API's clients: its handlers, and who names it themselves."""
    handlers = {
        name
        for part in parts
        for name in _functions(properties_of(resources[part]).get("IntegrationUri"), resources)
    }
    for api in apis:
        handlers |= _functions(properties_of(resources[api]).get("Routes"), resources)
    naming = {
        name
        for name, resource in resources.items()
        if resource.get("Type") in _FUNCTIONS
        and references(properties_of(resource).get("Environment")) & apis
    }
    return frozenset(handlers | naming)


def _functions(value: Any, resources: dict[str, dict[str, Any]]) -> set[str]:
    """The functions that a value names: by reference, also of an alias, or by their name."""
    named = references(value)
    for name in tuple(named):
        if resources.get(name, {}).get("Type") in _NAMES_OF_FUNCTIONS:
            named |= references(properties_of(resources[name]).get("FunctionName"))
    texts = [text for _, text in walk(value) if isinstance(text, str)]
    for name, resource in resources.items():
        spelled = name_text(resource, "FunctionName")
        if spelled and any(_ends_or_divides(spelled, text) for text in texts):
            named.add(name)
    return {name for name in named if resources.get(name, {}).get("Type") in _FUNCTIONS}


def _ends_or_divides(name: str, text: str) -> bool:
    """Whether a text is a function's name, or an ARN with it."""
    return re.search(rf"(^|:){re.escape(name)}(:|/|$)", text) is not None


def _feeds(
    resources: dict[str, dict[str, Any]], publishers: frozenset[str], sources: Mapping[str, str]
) -> Iterator[Feed]:
    for name, resource in resources.items():
        properties = properties_of(resource)
        if resource.get("Type") == "AWS::Lambda::EventSourceMapping":
            for function in _functions(properties.get("FunctionName"), resources) & publishers:
                source = sources.get(name)
                yield Feed(logical_id=name, function=function, event=None, source=source)
        events = properties.get("Events")
        if name not in publishers or not isinstance(events, dict):
            continue
        for event, given in cast("dict[str, Any]", events).items():
            kind = str(cast("dict[str, Any]", given).get("Type")) if isinstance(given, dict) else ""
            if kind in _SAM_MAPPINGS:
                expanded = f"{name}{event}"
                source = sources.get(expanded)
                yield Feed(
                    logical_id=expanded, function=name, event=event, source=source, kind=kind
                )


def _is_doubled(feed: Feed, shared_streams: frozenset[str] | None) -> bool:
    if feed.source is None or shared_streams is None:
        return feed.kind == "DynamoDB"
    return table_of_stream(feed.source) in {table_of_stream(arn) for arn in shared_streams}


def named_in(text: str, names: Iterable[str]) -> list[str]:
    """Those of the names that stand in a text as a whole: `rows` is not in `rows-v2`."""
    return [
        name for name in sorted(names) if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text)
    ]
