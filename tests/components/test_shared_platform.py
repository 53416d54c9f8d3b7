"""The look-up: what it finds, in which order, and everything that it refuses."""

from __future__ import annotations

import dataclasses
from typing import Any

import pulumi
import pytest

from components.preflight import INTEGRATIONS_PER_API, ROUTES_PER_API
from components.refusal import PlatformRefused, Unreadable
from tests.components.conftest import Configure
from tests.components.program import OURS, build, look_up_platform
from tests.components.recording import (
    API_ID,
    BUSINESSES,
    CONNECTIONS,
    GET_API,
    GET_APIS,
    ORDERS,
    STACK_OUTPUTS,
    SUBSCRIPTIONS,
    Engine,
    Platform,
    api,
    invocation_uri,
)


def refusal() -> str:
    with pytest.raises(PlatformRefused) as caught:
        look_up_platform()
    return str(caught.value)


def spoil(platform: Platform, **different: Any) -> None:
    platform.gateway = dataclasses.replace(platform.gateway, **different)


# --- Finding --------------------------------------------------------------------------------------


def test_the_platform_is_found_by_the_name_of_its_stage(
    engine: Engine, configure: Configure
) -> None:
    found = look_up_platform()
    assert found.api_id == API_ID
    assert found.web_socket_url.endswith("/test")
    assert found.orders is None
    assert [call.token for call in engine.invokes][:2] == [GET_APIS, GET_API]


def test_a_configured_id_comes_before_a_stack_and_a_name(
    engine: Engine, platform: Platform, configure: Configure
) -> None:
    platform.apis.append(api("byid"))
    configure(sharedApiId="byid", sharedStackReference="org/platform/dev")
    assert look_up_platform().api_id == "byid"
    assert {call.token for call in engine.invokes}.isdisjoint({GET_APIS, STACK_OUTPUTS})


def test_a_stacks_output_comes_before_a_name(
    engine: Engine, platform: Platform, configure: Configure
) -> None:
    platform.apis.append(api("bystack"))
    platform.stack_outputs["org/platform/dev"] = {"sharedWebSocketApiId": "bystack"}
    configure(sharedStackReference="org/platform/dev")
    assert look_up_platform().api_id == "bystack"
    assert GET_APIS not in {call.token for call in engine.invokes}


def test_an_http_api_of_the_same_name_does_not_confuse(
    platform: Platform, configure: Configure
) -> None:
    platform.apis.insert(0, api("aaa", protocolType="HTTP"))
    assert look_up_platform().api_id == API_ID


def test_the_orders_table_comes_with_its_stream(configure: Configure) -> None:
    configure(ordersTable=ORDERS)
    orders = look_up_platform().orders
    assert orders is not None
    assert orders.stream_arn.startswith(orders.arn)


def test_routes_that_we_serve_already_are_ours(platform: Platform, configure: Configure) -> None:
    spoil(
        platform,
        routes={"PING": "integrations/i2"},
        integrations={"i2": invocation_uri(OURS)},
    )
    look_up_platform()


# --- Refusing -------------------------------------------------------------------------------------


def test_an_absent_api_is_refused(platform: Platform, configure: Configure) -> None:
    platform.apis.clear()
    text = refusal()
    assert "shared API WizzUser-WebSocket-test: does not exist in us-east-1" in text
    assert "never create one of your own" in text


def test_an_absent_id_is_refused(platform: Platform, configure: Configure) -> None:
    configure(sharedApiId="gone1")
    assert "shared API gone1: does not exist in this account and Region" in refusal()


def test_two_apis_of_the_name_are_refused_with_both_ids(
    platform: Platform, configure: Configure
) -> None:
    platform.apis.append(api("zzz999"))
    assert f"several WebSocket APIs: {API_ID}, zzz999" in refusal()


def test_an_http_api_is_refused(platform: Platform, configure: Configure) -> None:
    platform.apis[0]["protocolType"] = "HTTP"
    assert "is an API of protocol HTTP, not WEBSOCKET" in refusal()


def test_another_route_selection_is_refused(platform: Platform, configure: Configure) -> None:
    platform.apis[0]["routeSelectionExpression"] = "$request.body.type"
    assert "selects routes by $request.body.type" in refusal()


def test_a_stack_without_the_output_is_refused_with_those_it_has(
    platform: Platform, configure: Configure
) -> None:
    platform.stack_outputs["org/platform/dev"] = {"apiId": "x"}
    configure(sharedStackReference="org/platform/dev")
    assert "has no output sharedWebSocketApiId (it has: apiId)" in refusal()


def test_a_missing_stage_is_refused_with_those_there_are(
    platform: Platform, configure: Configure
) -> None:
    spoil(platform, stages={"dev": True, "qa": True})
    assert "stage test: does not exist on the shared API (it has: dev, qa)" in refusal()


def test_a_stage_without_auto_deploy_is_refused(platform: Platform, configure: Configure) -> None:
    spoil(platform, stages={"test": False})
    assert "stage test: has AutoDeploy switched off" in refusal()


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        (
            CONNECTIONS,
            {"hashKey": "PK", "rangeKey": "SK"},
            "has the key (PK, SK), not (connectionId)",
        ),
        (CONNECTIONS, {"globalSecondaryIndexes": []}, "has no index userId-connectedAt-index"),
        (
            SUBSCRIPTIONS,
            {
                "globalSecondaryIndexes": [
                    {"name": "topic-createdAt-index", "hashKey": "topic", "rangeKey": ""},
                    {"name": "userId-topic-index", "hashKey": "userId", "rangeKey": "topic"},
                ]
            },
            "has the index topic-createdAt-index on (topic), not (topic, createdAt)",
        ),
        (BUSINESSES, {"hashKey": "id"}, "has the key (id), not (businessId)"),
        (BUSINESSES, {"rangeKey": "SK"}, "has the key (businessId, SK), not (businessId)"),
        (
            ORDERS,
            {"streamEnabled": False},
            "has no stream, and new orders are read from its stream",
        ),
        (ORDERS, {"streamViewType": "KEYS_ONLY"}, "has KEYS_ONLY, and new orders"),
    ],
)
def test_a_table_of_another_shape_is_refused(
    platform: Platform, configure: Configure, name: str, changed: dict[str, Any], said: str
) -> None:
    platform.tables[name] |= changed
    configure(ordersTable=ORDERS)
    text = refusal()
    assert f"table {name}: {said}" in text


def test_an_absent_table_is_refused(platform: Platform, configure: Configure) -> None:
    del platform.tables[SUBSCRIPTIONS]
    assert f"subscriptions table {SUBSCRIPTIONS}: does not exist" in refusal()


@pytest.mark.parametrize(
    ("attribute", "said"), [("", "has TTL switched off"), ("expires", "expires rows by 'expires'")]
)
def test_a_table_whose_rows_stay_is_refused(
    platform: Platform, configure: Configure, attribute: str, said: str
) -> None:
    platform.time_to_live[CONNECTIONS] = attribute
    assert f"table {CONNECTIONS}: {said}" in refusal()


def test_a_route_of_somebody_else_is_refused_with_its_owner(
    platform: Platform, configure: Configure
) -> None:
    spoil(
        platform,
        routes={"PING": "integrations/i9", "HEARTBEAT": "integrations/i8", "heartbeat": ""},
        integrations={"i9": invocation_uri("Drivers-App"), "i8": "https://example.com/beat"},
    )
    text = refusal()
    assert "route PING: is already served on the shared API by Drivers-App" in text
    assert (
        "route HEARTBEAT: is already served on the shared API by https://example.com/beat" in text
    )
    assert "route heartbeat" not in text, "a route that we do not serve is nobody's concern"


@pytest.mark.parametrize(
    ("foreign", "refused"), [(ROUTES_PER_API - 7, False), (ROUTES_PER_API - 6, True)]
)
def test_the_quota_of_routes_counts_everybodys(
    platform: Platform, configure: Configure, foreign: int, refused: bool
) -> None:
    spoil(platform, routes={f"route{number}": "integrations/i1" for number in range(foreign)})
    if refused:
        assert f"would have {ROUTES_PER_API + 1} routes, and 300 are allowed" in refusal()
    else:
        look_up_platform()


def test_the_quota_of_integrations_counts_everybodys(
    platform: Platform, configure: Configure
) -> None:
    others = {f"i{number}": invocation_uri("Other") for number in range(INTEGRATIONS_PER_API)}
    spoil(platform, integrations=others)
    assert "would have 301 integrations, and 300 are allowed" in refusal()


def test_everything_wrong_with_the_platform_is_said_at_once(
    engine: Engine, platform: Platform, configure: Configure
) -> None:
    platform.apis[0]["routeSelectionExpression"] = "$request.body.type"
    platform.tables[CONNECTIONS]["hashKey"] = "PK"
    del platform.tables[BUSINESSES]
    platform.time_to_live[SUBSCRIPTIONS] = ""
    with pytest.raises(PlatformRefused) as caught:
        build()
    assert len(caught.value.problems) == 4
    assert engine.resources == [], "nothing may be created before everything is verified"


# --- What cannot be decided -----------------------------------------------------------------------


def test_what_may_not_be_read_is_a_warning_that_says_so(
    platform: Platform, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    denied = Unreadable(what="the stages of API abc123", reason="AccessDeniedException")
    spoil(platform, stages=denied)
    platform.time_to_live[CONNECTIONS] = Unreadable(what="the TTL", reason="AccessDenied")
    look_up_platform()
    assert warnings == [
        "the TTL could not be read, so it was not verified: AccessDenied",
        "the stages of API abc123 could not be read, so it was not verified: AccessDeniedException",
    ]


def test_a_look_up_that_fails_for_another_reason_is_refused_with_the_reason(
    engine: Engine, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(args: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return {}, [("", "AccessDeniedException: not authorized to perform: apigateway:GET")]

    monkeypatch.setattr(engine, "call", denied)
    text = refusal()
    assert "could not be looked up" in text
    assert "apigateway:GET" in text
    assert "does not exist" not in text
