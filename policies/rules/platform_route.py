"""Route keys that are the platform's."""

from collections.abc import Iterable
from typing import Final

from policies.kinds import ROUTE
from policies.model import Deferred, Finding, Resource
from policies.rule import MANDATORY, Outcome, Rule, Severity
from policies.settings import Settings
from policies.shared_platform import LIFECYCLE_ROUTES
from policies.values import Unknown

# Properties that only a route of a WebSocket API has.
_WEBSOCKET_ONLY: Final = (
    "routeResponseSelectionExpression",
    "modelSelectionExpression",
    "requestModels",
    "apiKeyRequired",
)


def check(resource: Resource, settings: Settings) -> Iterable[Outcome]:
    """Refuse lifecycle routes and route keys of the platform."""
    platform = settings.platform
    key = resource.props.text("routeKey")
    api = resource.props.text("apiId")
    on_shared_api = isinstance(api, str) and api in platform.api_ids
    if isinstance(key, Unknown) or key is None:
        if on_shared_api:
            yield Finding(resource=resource, problem="its route key on the shared API is not known")
        elif isinstance(key, Unknown):
            yield Deferred(resource=resource, reason="its route key is not known yet")
        return
    if key == "$default" and not on_shared_api and not _is_websocket(resource):
        return  # an HTTP API has a `$default` of its own
    if key in LIFECYCLE_ROUTES:
        yield Finding(resource=resource, problem=f'the route "{key}" belongs to the platform')
    elif key in platform.reserved_routes:
        problem = f'the platform serves "{key}" on the stage "{platform.stage or "?"}"'
        yield Finding(resource=resource, problem=problem)


def _is_websocket(resource: Resource) -> bool:
    return any(resource.props.get(name) for name in _WEBSOCKET_ONLY)


RULE = Rule(
    name="no-platform-route",
    enforcement=MANDATORY,
    severity=Severity.HIGH,
    stops="No application serves the platform's routes.",
    why=(
        "$connect, $disconnect and $default decide for every application on the API who may come "
        "in and what becomes of a message; a key can have one integration only."
    ),
    fix=(
        "serve route keys of your own; where the platform handed a key over, say so under "
        "sharedApis.<stage>.handedOverRoutes of pack-is-in-order, or exempt the route."
    ),
    link="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html",
    kinds=frozenset({ROUTE}),
    check=check,
)
