"""The preflight's own reads, against a real API: what boto3 says, and what it may not say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from components import preflight
from components.refusal import PlatformRefused, Unreadable
from components.settings import Settings
from sandbox.cloud import Cloud

pytestmark = pytest.mark.cloud


def settings() -> Settings:
    return Settings(
        stack="test",
        region="us-east-1",
        profile=None,
        shared_api_id="",
        shared_api_name="",
        shared_stack_reference="",
        shared_stage="test",
        connections_table="c",
        subscriptions_table="s",
        businesses_table="b",
        orders_table="",
        routes=("PING",),
    )


@pytest.fixture
def inside(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The sandbox's cloud, as a program in it would see it."""
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    return cloud


def test_stages_routes_and_integrations_are_read_past_the_first_page(
    inside: Cloud, unique: Callable[[str], str]
) -> None:
    client = inside.client("apigatewayv2")
    api_id = client.create_api(
        Name=unique("api"),
        ProtocolType="WEBSOCKET",
        RouteSelectionExpression="$request.body.action",
    )["ApiId"]
    client.create_stage(ApiId=api_id, StageName="open", AutoDeploy=True)
    client.create_stage(ApiId=api_id, StageName="frozen")
    integration = client.create_integration(
        ApiId=api_id, IntegrationType="HTTP_PROXY", IntegrationUri="https://example.com/beat"
    )["IntegrationId"]
    for number in range(120):
        client.create_route(
            ApiId=api_id, RouteKey=f"route{number}", Target=f"integrations/{integration}"
        )
    gateway = preflight.read_gateway(preflight.session(settings()), api_id)
    assert gateway.stages == {"open": True, "frozen": False}
    assert not isinstance(gateway.routes, Unreadable)
    assert len(gateway.routes) == 120
    assert gateway.integrations == {integration: "https://example.com/beat"}


def test_the_attribute_of_ttl_is_read_and_off_is_told_from_unreadable(
    inside: Cloud, unique: Callable[[str], str]
) -> None:
    client = inside.client("dynamodb")
    on, off = unique("on"), unique("off")
    for name in (on, off):
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    client.update_time_to_live(
        TableName=on, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
    )
    found = preflight.read_time_to_live(preflight.session(settings()), (on, off, "absent"))
    assert found[on] == "ttl"
    assert found[off] == ""
    assert isinstance(found["absent"], Unreadable)


def test_a_profile_that_this_machine_lacks_is_refused_by_name(
    inside: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PlatformRefused, match="aws:profile: 'elsewhere' is not a profile"):
        preflight.session(dataclasses.replace(settings(), profile="elsewhere"))


def test_a_cloud_that_does_not_answer_is_unreadable_and_not_wrong(
    inside: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    gateway = preflight.read_gateway(preflight.session(settings()), "abc123")
    assert isinstance(gateway.stages, Unreadable)
    assert str(gateway.stages).startswith("the stages of API abc123 could not be read")
