"""The ban: no WebSocket API of one's own, through whichever provider or document it comes."""

from collections.abc import Iterable

from policies.kinds import API, SAM_WEBSOCKET_API
from policies.model import Finding, Resource
from policies.rule import MANDATORY, Outcome, Rule, Severity
from policies.settings import Settings
from policies.values import UNKNOWN, as_text, is_literally


def check(resource: Resource, _settings: Settings) -> Iterable[Outcome]:
    """Refuse every API that is not certainly an HTTP API."""
    if resource.kind == SAM_WEBSOCKET_API:
        yield Finding(resource=resource, problem="the type is a WebSocket API by definition")
        return
    protocol = resource.props.get("protocolType")
    if is_literally(protocol, "HTTP"):
        return
    if protocol is None and (_imports_definition(resource) or _is_component(resource)):
        return
    yield Finding(resource=resource, problem=_problem(resource))


def _imports_definition(resource: Resource) -> bool:
    # An OpenAPI definition makes an HTTP API; the service imports no other kind.
    return any(resource.props.get(name) for name in ("body", "bodyS3Location"))


def _is_component(resource: Resource) -> bool:
    # A component may bear the type without the file-like module; its children are checked.
    return resource.type.casefold() == "aws:apigatewayv2:api" and not resource.props


def _problem(resource: Resource) -> str:
    protocol = resource.props.get("protocolType")
    if protocol is None:
        return "it does not say that its protocol is HTTP"
    if protocol is UNKNOWN:
        return "its protocol is not known, so that it may be a WebSocket API"
    text = as_text(protocol)
    return f'its protocol is "{text}"' if isinstance(text, str) else "its protocol cannot be read"


RULE = Rule(
    name="no-standalone-websocket-api",
    enforcement=MANDATORY,
    severity=Severity.CRITICAL,
    stops="No application creates a WebSocket API of its own.",
    why=(
        "A second API splits customers, drivers and merchants: whoever is connected there receives "
        "nothing from the shared one, and its connections, routes and alarms are nobody's."
    ),
    fix=(
        "attach routes and integrations to the shared API WizzUser-WebSocket-<stage> "
        "(look it up with aws.apigatewayv2.get_apis, or use components.OrderReceiver); "
        "if this is an HTTP API, say protocolType HTTP as a literal."
    ),
    link="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api.html",
    kinds=frozenset({API, SAM_WEBSOCKET_API}),
    check=check,
)
