"""What a Lambda's environment says of a function, and where it says that connections are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policies.model import Resource
from policies.settings import Settings
from policies.values import Props, Text, as_text

_MANAGEMENT_NAME: Final = re.compile(
    r"((WEB_?SOCKET|WSS?|API_?GW|API_?GATEWAY)_(API_)?(MANAGEMENT_)?(ENDPOINT|CALLBACK)"
    r"|MANAGEMENT_(API_)?(ENDPOINT|URL)|CONNECTIONS?_(ENDPOINT|URL))(_URL)?",
    re.IGNORECASE,
)
_URL: Final = re.compile(
    r"(?P<scheme>[a-z]+)://(?P<host>[^/:?#]+)(:\d+)?(?P<path>/[^?#]*)?.*", re.IGNORECASE
)
_EXECUTE_API: Final = re.compile(
    r"(?P<api>[^.]+)\.execute-api\.[^.]+\.amazonaws\.com(\.cn)?", re.IGNORECASE
)
_LOCAL_PATH: Final = re.compile(r"/_aws/execute-api/(?P<api>[^/]+)(?P<stage>/.*)?")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where an API of API Gateway answers."""

    scheme: str
    api: str | None
    """`None` behind a domain of one's own."""
    stage: str
    local: bool


def variables(resource: Resource) -> Props:
    """Return a function's environment variables."""
    return resource.props.block("environment").block("variables")


def texts(resource: Resource) -> Iterator[tuple[str, Text]]:
    """Yield the names and values of a function's environment variables."""
    for name, value in variables(resource).raw.items():
        yield name, as_text(value)


def is_management_name(name: str) -> bool:
    """Say whether a variable of this name is the address that one posts to connections at."""
    return _MANAGEMENT_NAME.search(name) is not None


def address(text: str) -> Address | None:
    """Read the address of an API; `None` for whatever is no URL."""
    match = _URL.fullmatch(text)
    if match is None:
        return None
    scheme, host, path = match["scheme"].lower(), match["host"], match["path"] or ""
    if host in _LOOPBACK:
        inner = _LOCAL_PATH.fullmatch(path)
        api = inner["api"] if inner else None
        stage = ((inner["stage"] if inner else path) or "").strip("/")
        return Address(scheme=scheme, api=api, stage=stage, local=True)
    known = _EXECUTE_API.fullmatch(host)
    api = known["api"].lower() if known else None
    return Address(scheme=scheme, api=api, stage=path.strip("/"), local=False)


def serves_shared_api(resource: Resource, settings: Settings) -> bool:
    """Say whether a function works with the shared platform, as far as its environment shows."""
    platform = settings.platform
    for name, value in texts(resource):
        if name.upper().startswith(("WEBSOCKET_", "SHARED_WEBSOCKET_")):
            return True
        if not isinstance(value, str):
            continue
        if value in platform.api_ids or any(table.matches(value) for table in platform.tables):
            return True
        target = address(value)
        if target is not None and target.api in platform.api_ids:
            return True
    return False
