"""Configuration of the pack: taken to the last key, or refused with all that is wrong."""

import json

import grpc
import pytest
from pulumi.runtime import proto

from policies.configuration import ConfigurationError, configure, from_document, stage_of
from policies.exemptions import Exemptions
from policies.rule import Enforcement
from policies.server import Analyzer
from policies.table import RULES
from tests.policies.cases import API, ROUTE, STAGE
from tests.policies.conftest import request
from tests.policies.running import struct

BAN = "no-standalone-websocket-api"


def asked(
    level: int = proto.MANDATORY, name: str = BAN, **properties
) -> proto.ConfigureAnalyzerRequest:
    given = proto.PolicyConfig(enforcementLevel=level, properties=struct(properties))
    return proto.ConfigureAnalyzerRequest(policyConfig={name: given})


def levels(analyzer: Analyzer) -> list[int]:
    answer = analyzer.Analyze(request(API, {"protocolType": "WEBSOCKET"}), None)
    return [diagnostic.enforcementLevel for diagnostic in answer.diagnostics]


def test_a_level_of_the_configuration_replaces_the_rules_own():
    analyzer = Analyzer()
    assert levels(analyzer) == [proto.MANDATORY]
    analyzer.Configure(asked(proto.ADVISORY), None)
    assert levels(analyzer) == [proto.ADVISORY]
    analyzer.Configure(asked(proto.DISABLED), None)
    assert levels(analyzer) == []


def test_remediate_is_held_to_mandatory():
    analyzer = Analyzer()
    analyzer.Configure(asked(proto.REMEDIATE), None)
    assert levels(analyzer) == [proto.MANDATORY]


@pytest.mark.parametrize(
    ("name", "properties", "says"),
    [
        ("no-standalone-websocket-apis", {}, "there is no policy"),
        (BAN, {"alow": ["x"]}, 'there is no option "alow"'),
        ("no-opaque-template", {"alow": ["x"]}, "options: allow"),
        ("no-opaque-template", {"allow": "x"}, "is no array"),
        ("no-opaque-template", {"allow": [5]}, "is no string"),
        ("function-keeps-its-logs", {"everywhere": "yes"}, "is no boolean"),
        ("pack-is-in-order", {"sharedApis": {"dev": {"id": ["a"]}}}, 'there is no key "id"'),
        ("pack-is-in-order", {"sharedApis": {"dev": {"ids": [1]}}}, "is no string"),
        ("pack-is-in-order", {"sharedApis": {"dev": []}}, "is no object"),
    ],
)
def test_what_the_pack_does_not_know_is_an_error(name, properties, says):
    with pytest.raises(ConfigurationError, match=says):
        Analyzer().Configure(asked(name=name, **properties), None)


def test_over_the_wire_a_mistyped_key_ends_the_operation_with_its_name(pack_process):
    with pytest.raises(grpc.RpcError) as refusal:
        pack_process.Configure(asked(name="no-opaque-template", alow=["x"]))
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert 'there is no option "alow"' in refusal.value.details()


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(ConfigurationError) as refusal:
        configure(RULES, {"a": {}, BAN: {"b": 1}}, {}, exemptions=Exemptions(file=None))
    assert len(refusal.value.problems) == 2


def test_a_configuration_file_gives_levels_and_options():
    text = json.dumps(
        {
            "all": "advisory",
            BAN: {"enforcementLevel": "mandatory"},
            "no-opaque-template": {"allow": ["x"]},
        }
    )
    options, given = from_document(text)
    configured = configure(RULES, options, given, exemptions=Exemptions(file=None))
    assert configured.levels[BAN] is Enforcement.MANDATORY
    assert configured.levels["no-dynamic-provider"] is Enforcement.ADVISORY
    assert configured.settings.options["no-opaque-template"] == {"allow": ["x"]}


@pytest.mark.parametrize("text", ["{", "[]", '{"all": "strict"}', '{"a": {"enforcementLevel": 1}}'])
def test_a_configuration_file_that_cannot_be_read_is_an_error(text):
    with pytest.raises(ConfigurationError):
        from_document(text)


def test_the_stage_is_the_stacks_own_unless_its_configuration_says_otherwise():
    assert stage_of("dev", {}) == ("dev", None)
    assert stage_of("blue", {"order-receiver:sharedStage": "prod"}) == ("prod", None)
    assert stage_of("dev", {"order-receiver:sharedApiId": "abc"}) == ("dev", "abc")


def configured_stack(stack: str, **config: str) -> Analyzer:
    analyzer = Analyzer()
    analyzer.ConfigureStack(
        proto.AnalyzerStackConfigureRequest(
            stack=stack, config={f"shop:{key}": value for key, value in config.items()}
        ),
        None,
    )
    return analyzer


def test_a_route_that_is_handed_over_on_a_stage_is_allowed_there_only():
    route = request(ROUTE, {"apiId": "anything", "routeKey": "heartbeat"})
    assert not configured_stack("sandbox").Analyze(route, None).diagnostics
    assert configured_stack("dev").Analyze(route, None).diagnostics


def test_the_shared_api_of_the_stacks_own_configuration_is_protected_too():
    stage = request(STAGE, {"apiId": "prodapi123"})
    assert not configured_stack("prod").Analyze(stage, None).diagnostics
    assert configured_stack("prod", sharedApiId="prodapi123").Analyze(stage, None).diagnostics


def test_names_of_tables_and_apis_come_from_the_configuration():
    options = {
        "pack-is-in-order": {
            "sharedApiName": "Acme-*",
            "sharedTables": ["acme_*"],
            "platformRoutes": ["hello"],
        }
    }
    platform = configure(RULES, options, {}, exemptions=Exemptions(file=None)).settings.platform
    assert platform.api_name.matches("Acme-dev")
    assert platform.tables[0].matches("acme_rows")
    assert platform.reserved_routes == {"hello"}
