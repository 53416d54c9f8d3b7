"""What we rely on of the shared platform, and the comparison with what stands there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

ROUTE_SELECTION: Final = "$request.body.action"
TTL_ATTRIBUTE: Final = "ttl"
STREAM_VIEWS: Final = ("NEW_AND_OLD_IMAGES", "NEW_IMAGE")

Difference = tuple[str, str]
"""What differs, and how."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What a shared table must have for us."""

    key: str
    indexes: Mapping[str, tuple[str, str]]
    """Index -> its hash and range key."""
    ttl: bool = False
    stream: bool = False


CONNECTIONS: Final = Contract(
    key="connectionId", indexes={"userId-connectedAt-index": ("userId", "connectedAt")}, ttl=True
)
SUBSCRIPTIONS: Final = Contract(
    key="subscriptionId",
    indexes={
        "topic-createdAt-index": ("topic", "createdAt"),
        "userId-topic-index": ("userId", "topic"),
    },
    ttl=True,
)
BUSINESSES: Final = Contract(key="businessId", indexes={})
ORDERS: Final = Contract(
    key="orderId",
    indexes={
        "BusinessIdIndex": ("businessId", "createdAt"),
        "StoreIdIndex": ("storeId", "createdAt"),
    },
    stream=True,
)


def api_differences(
    api: Mapping[str, Any], stages: Sequence[Mapping[str, Any]], stage: str
) -> Iterator[Difference]:
    """Differences of the API itself and of the stage that we are on."""
    if api.get("ProtocolType") != "WEBSOCKET":
        yield "API", f"its protocol is {api.get('ProtocolType')}, not WEBSOCKET"
    if api.get("RouteSelectionExpression") != ROUTE_SELECTION:
        selection = api.get("RouteSelectionExpression")
        yield "API", f"it selects routes by {selection}, not {ROUTE_SELECTION}"
    ours = next((item for item in stages if item.get("StageName") == stage), None)
    if ours is None:
        yield f"stage {stage}", "it is gone"
    elif not ours.get("AutoDeploy"):
        yield f"stage {stage}", "it no longer deploys by itself: new routes will not be live"


def route_differences(
    wanted: Sequence[str],
    targets: Mapping[str, str],
    integrations: Mapping[str, str],
    function: str | None,
) -> Iterator[Difference]:
    """Routes of ours that are gone, or that lead to another Lambda than ours.

    `targets` are the API's route keys with their targets, `integrations` the URIs by id.
    """
    for key in wanted:
        if key not in targets:
            yield f"route {key}", "it is gone"
            continue
        integration = targets[key].removeprefix("integrations/")
        named = re.search(r":function:([\w-]+)", integrations.get(integration, ""))
        if function is not None and (named is None or named.group(1) != function):
            leads = named.group(1) if named else integrations.get(integration) or "nowhere"
            yield f"route {key}", f"it leads to {leads}, not to {function}"


def table_differences(
    name: str, table: Mapping[str, Any], ttl: str | None, contract: Contract
) -> Iterator[Difference]:
    """Differences of a shared table; `ttl` is the attribute that its rows expire by, or None."""
    subject = f"table {name}"
    if table.get("TableStatus", "ACTIVE") not in {"ACTIVE", "UPDATING"}:
        yield subject, f"it is {table['TableStatus']}"
    keys = [part["AttributeName"] for part in table.get("KeySchema", ())]
    if keys != [contract.key]:
        yield subject, f"its key is {', '.join(keys)}, not {contract.key}"
    present = {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes") or ()}
    for index, wanted in contract.indexes.items():
        found = present.get(index)
        if found is None or found.get("IndexStatus", "ACTIVE") not in {"ACTIVE", "UPDATING"}:
            yield subject, f"it has no usable index {index}"
            continue
        on = tuple(part["AttributeName"] for part in found.get("KeySchema", ()))
        if on != wanted:
            yield subject, f"its index {index} is on {', '.join(on)}, not {', '.join(wanted)}"
    if contract.ttl and ttl != TTL_ATTRIBUTE:
        yield subject, f"its rows no longer expire by {TTL_ATTRIBUTE}: those of the dead stay"
    stream: Mapping[str, Any] = table.get("StreamSpecification", {})
    if contract.stream and (
        not stream.get("StreamEnabled") or stream.get("StreamViewType") not in STREAM_VIEWS
    ):
        yield subject, "its stream no longer carries new rows: orders are not noticed"
