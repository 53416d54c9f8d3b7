"""The ban, asked as a function with the SDK's guarded properties, as a server, and as a process."""

import pytest
from google.protobuf import empty_pb2
from pulumi.runtime import proto
from pulumi_policy import PolicyResourceOptions, ResourceValidationArgs
from pulumi_policy.proxy import unknown_checking_proxy

from policies import pack
from policies.table import RULES
from tests.policies.conftest import UNKNOWN, request

API = "aws:apigatewayv2/api:Api"
BAN = "no-standalone-websocket-api"

REFUSED = [
    {"protocolType": "WEBSOCKET"},
    {"protocolType": "websocket "},
    {"protocolType": ["WEBSOCKET"]},
    {"protocolType": UNKNOWN},
    {"protocolType": {"a": "HTTP"}},
    {"protocolType": 1},
    {"protocolType": "HTTP", "protocol_type": "WEBSOCKET"},
    {"name": "chat"},
    {},
]
ALLOWED = [
    {"protocolType": "HTTP"},
    {"protocolType": "http"},
    {"protocolType": "HTTP", "name": UNKNOWN, "target": UNKNOWN},
]


def policy() -> pack.Policy:
    return next(policy for policy in pack.policies(RULES) if policy.name == BAN)


def unit(props: dict) -> list[str]:
    reported: list[str] = []
    options = PolicyResourceOptions(False, [], None, [], None, [])
    guarded = unknown_checking_proxy(props)
    args = ResourceValidationArgs(API, guarded, "urn", "chat", options, None, None)
    policy().validate(args, lambda message, urn=None: reported.append(message))
    return reported


@pytest.mark.parametrize("props", REFUSED)
def test_unit_refuses_what_is_not_certainly_http(props):
    assert len(unit(props)) == 1


@pytest.mark.parametrize("props", ALLOWED)
def test_unit_allows_an_http_api(props):
    assert unit(props) == []


@pytest.mark.parametrize("props", REFUSED)
def test_server_refuses_what_is_not_certainly_http_as_mandatory(analyze, props):
    (diagnostic,) = analyze(API, props, name="chat")
    assert diagnostic.policyName == BAN
    assert diagnostic.enforcementLevel == proto.MANDATORY
    assert diagnostic.severity == proto.POLICY_SEVERITY_CRITICAL


@pytest.mark.parametrize("props", ALLOWED)
def test_server_allows_an_http_api(analyze, props):
    assert analyze(API, props) == []


def test_the_message_names_the_resource_the_rule_and_what_to_do_instead(analyze):
    (diagnostic,) = analyze(API, {"protocolType": "WEBSOCKET"}, name="chat")
    assert "chat (aws:apigatewayv2/api:Api)" in diagnostic.message
    assert BAN in diagnostic.message
    assert "attach routes and integrations to the shared API" in diagnostic.message


def test_the_pack_as_a_process_refuses_a_websocket_api_and_allows_an_http_api(pack_process):
    info = pack_process.GetAnalyzerInfo(empty_pb2.Empty())
    assert {policy.name: policy.enforcementLevel for policy in info.policies}[BAN] == (
        proto.MANDATORY
    )
    refused = pack_process.Analyze(request(API, {"protocolType": "WEBSOCKET"}))
    assert [diagnostic.policyName for diagnostic in refused.diagnostics] == [BAN]
    unknown = pack_process.Analyze(request(API, {"protocolType": UNKNOWN}))
    assert [diagnostic.policyName for diagnostic in unknown.diagnostics] == [BAN]
    assert not pack_process.Analyze(request(API, {"protocolType": "HTTP"})).diagnostics
