"""Settings: typed and defaulted, or refused with the key, the value and the way out."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime.config import set_all_config

from components.refusal import SettingsRefused
from components.settings import LOG_RETENTION_DAYS, Settings
from lambdas import catalogue
from tests.components.conftest import Configure
from tests.components.recording import PROJECT, ROOT, as_text, stack_file


def load() -> Settings:
    return Settings.load(pulumi.Config())


def refusal() -> str:
    with pytest.raises(SettingsRefused) as caught:
        load()
    return str(caught.value)


def test_a_small_configuration_gets_the_platforms_names_from_the_stage(
    configure: Configure,
) -> None:
    settings = load()
    assert settings.shared_stage == "test"
    assert settings.shared_api_name == "WizzUser-WebSocket-test"
    assert settings.connections_table == "WizzUser_websocket_connections_test"
    assert settings.subscriptions_table == "WizzUser_websocket_subscriptions_test"
    assert settings.routes == catalogue.MERCHANT_ROUTES
    assert settings.orders_table == ""


def test_another_stage_names_other_tables(configure: Configure) -> None:
    configure(sharedStage="dev")
    assert load().connections_table == "WizzUser_websocket_connections_dev"


def test_a_user_pool_knows_its_issuer(configure: Configure) -> None:
    (pool,) = load().user_pools
    assert pool.issuer == "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Abc123"


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("logRetentionDays", "soon", "'soon' is not a whole number"),
        ("logRetentionDays", "31", "31 is not a retention"),
        ("lambdaMemorySize", "64", "64 MB is outside"),
        (
            "ordersTable",
            "WizzUser_websocket_connections_test",
            "'WizzUser_websocket_connections_test' is the connectionsTable too",
        ),
        ("lambdaRuntime", "python2.7", "'python2.7' is not one of python3.11"),
        ("lambdaArchitecture", "sparc", "'sparc' is not one of arm64, x86_64"),
        ("identityMode", "trust", "'trust' is not one of token, authorizer, connection"),
        ("routes", "PING", "'PING' is not a list of texts"),
        ("routes", [], "would serve nothing"),
        ("routes", ["PING", "PING"], "'PING' is listed twice"),
        (
            "routes",
            ["PONG"],
            "'PONG' is not a route that the handler serves (did you mean 'PING'?)",
        ),
        ("routes", ["$default"], "'$default' belongs to the platform"),
        ("userPools", {}, "is not a list of objects"),
        ("userPools", ["us-east-1_Abc123"], "'us-east-1_Abc123' is not an object"),
        ("userPools", [], "nobody could register"),
        (
            "userPools",
            [{"id": "p_1", "clientIds": ["c"], "entityType": "vip"}],
            "'vip' is not one of",
        ),
        (
            "userPools",
            [{"id": "p_1", "clientIds": [], "entityType": "driver"}],
            "[] is not a list of",
        ),
        (
            "userPools",
            [{"clientIds": ["c"], "entityType": "driver"}],
            "userPools[0].id: is missing",
        ),
        (
            "userPools",
            [{"id": "p_1", "clientId": "c", "entityType": "driver"}],
            "userPools[0].clientId: is not known here (did you mean 'clientIds'?)",
        ),
        ("reservedConcurrency", {"fan-out": 3}, "'fan-out' is not one of our Lambdas"),
        ("reservedConcurrency", {"fanout": 0}, "0 for fanout would stop it"),
        ("reservedConcurrency", {"fanout": "3"}, "is not an object whose values are whole numbers"),
        ("alarmTopicArn", "page-me", "'page-me' is not of the form arn:"),
        ("sharedApiId", "LWK", "'LWK' is not of the form"),
        (
            "handedOverRoutes",
            [{"routeKey": "PING", "reason": "r"}],
            "'PING' is not one of $connect",
        ),
        ("handedOverRoutes", [{"routeKey": "$default"}], "handedOverRoutes[0].reason: is missing"),
        (
            "handedOverRoutes",
            [{"routeKey": "heartbeat", "reason": "r"}],
            "'heartbeat' is handed over, but routes does not list it",
        ),
        ("sharedApiID", "abc", "is not a key of this program (did you mean 'sharedApiId'?)"),
        ("businessesTable", None, "order-receiver:businessesTable: is missing"),
        ("businessesTable", "FILL-IN the table", "is still a placeholder: FILL-IN the table"),
    ],
)
def test_a_wrong_value_is_refused_by_key_and_value(
    configure: Configure, key: str, value: Any, said: str
) -> None:
    configure(**{key: value})
    text = refusal()
    assert f"order-receiver:{key}" in text
    assert said in text
    assert "What to do: " in text


def test_everything_wrong_is_said_at_once(configure: Configure) -> None:
    configure(businessesTable=None, logRetentionDays="x", lambdaRuntime="y", rutes=[])
    with pytest.raises(SettingsRefused) as caught:
        load()
    assert len(caught.value.problems) == 4
    assert "4 problems, nothing was created" in str(caught.value)


def test_a_region_must_come_from_somewhere(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    set_all_config({f"{PROJECT}:businessesTable": "b", f"{PROJECT}:identityMode": "authorizer"})
    assert "aws:region: is missing" in refusal()
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert load().region == "eu-west-1"


def test_a_typo_is_found_in_the_configuration_that_the_cli_hands_over(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG", '{"order-receiver:ordrsTable": "x", "other:key": "y"}')
    text = refusal()
    assert "order-receiver:ordrsTable: is not a key of this program" in text
    assert "other:key" not in text


def test_the_value_of_a_secret_is_not_repeated(configure: Configure) -> None:
    set_all_config(
        {"aws:region": "us-east-1", f"{PROJECT}:logRetentionDays": "hunter2"},
        [f"{PROJECT}:logRetentionDays"],
    )
    text = refusal()
    assert "hunter2" not in text
    assert "its value (a secret)" in text


def test_a_lifecycle_route_is_served_once_the_platform_handed_it_over(configure: Configure) -> None:
    configure(
        routes=["PING", "$default"],
        handedOverRoutes=[
            {"routeKey": "$default", "reason": "ticket 7", "formerFunction": "WizzUser-Default"}
        ],
    )
    (route,) = load().handed_over_routes
    assert route.former_function == "WizzUser-Default"


def test_a_lifecycle_route_without_its_former_lambda_is_refused(configure: Configure) -> None:
    configure(
        routes=["PING", "$default"],
        handedOverRoutes=[{"routeKey": "$default", "reason": "ticket 7"}],
    )
    assert "'$default' names no formerFunction" in refusal()


def test_the_dev_stack_holds_the_live_values(configure: Configure) -> None:
    set_all_config(stack_file("dev"))
    settings = load()
    assert settings.shared_api_id == "lwk0wf6rpl"
    assert settings.connections_table == "WizzUser_websocket_connections_dev"
    assert [pool.id for pool in settings.user_pools] == ["us-east-1_PHPkG78b5"]
    assert not set(settings.routes) & set(catalogue.HANDED_OVER_ROUTES)


def test_the_production_template_is_refused_until_it_is_filled_in(configure: Configure) -> None:
    set_all_config(stack_file("prod"))
    text = refusal()
    for key in ("sharedApiId", "businessesTable", "ordersTable", "userPools", "alarmTopicArn"):
        assert f"order-receiver:{key}" in text


def test_the_sandbox_stack_serves_every_route_once_the_machine_is_added(
    configure: Configure,
) -> None:
    pools = [{"id": "us-east-1_A", "clientIds": ["c"], "entityType": "merchant"}]
    set_all_config(stack_file("sandbox") | {f"{PROJECT}:userPools": as_text(pools)})
    assert set(load().routes) == set(catalogue.ROUTES)


def test_every_key_is_declared_with_the_default_that_the_program_has(configure: Configure) -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    small = load()
    configure(**declared_defaults(declared))
    assert load() == small, "an unset key and its declared default must mean the same"
    assert all(entry["description"].strip() for entry in declared.values())


def test_no_key_is_read_that_is_not_declared(configure: Configure) -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    configure(**(declared_defaults(declared) | {"x": "1"}))
    with pytest.raises(SettingsRefused) as caught:
        load()
    assert [problem.subject for problem in caught.value] == ["order-receiver:x"]


def declared_defaults(declared: dict[str, Any]) -> dict[str, Any]:
    given = {"businessesTable", "userPools"}  # what no stack can do without
    return {key: entry["default"] for key, entry in declared.items() if key not in given}


def test_the_retentions_are_those_of_cloudwatch_logs() -> None:
    from botocore.loaders import Loader

    documentation = Loader().load_service_model("logs", "service-2")["shapes"]["Days"]
    named = {
        int(word)
        for word in documentation["documentation"].replace(",", " ").replace(".", " ").split()
        if word.isdigit()
    }
    assert set(LOG_RETENTION_DAYS) <= named
