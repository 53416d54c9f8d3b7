"""What a template creates, worked out as CloudFormation would."""

from textwrap import dedent

import pytest

from tests.policies.conftest import UNKNOWN
from tests.policies.running import rules_of

BAN = "no-standalone-websocket-api"
OPAQUE = "no-opaque-template"
STACK = "aws:cloudformation/stack:Stack"


def asked(analyze, template: str, **props) -> set[str]:
    return rules_of(analyze(STACK, {"templateBody": dedent(template), **props}))


def api(protocol: str, more: str = "") -> str:
    properties = f"{{Name: a, ProtocolType: {protocol}}}"
    return f"{more}\nResources:\n  A: {{Type: AWS::ApiGatewayV2::Api, Properties: {properties}}}\n"


P = "Parameters: {P: {Type: String, Default: HTTP}}"
NO_DEFAULT = "Parameters: {P: {Type: String}}"
MAP = "Mappings: {M: {a: {b: HTTP, c: WEBSOCKET}}}"


@pytest.mark.parametrize(
    ("template", "parameters"),
    [
        (api("HTTP"), {}),
        (api("!Ref P", P), {}),
        (api("!Ref P", NO_DEFAULT), {"P": "HTTP"}),
        (api('!Sub "${P}"', P), {}),
        (api('!Join ["", [HT, TP]]'), {}),
        (api("!FindInMap [M, a, b]", MAP), {}),
        (api("!If [C, HTTP, HTTP]", "Conditions: {C: !Equals [!Ref X, y]}"), {}),
        (api("!If [C, HTTP, WEBSOCKET]", "Conditions: {C: !Equals [a, a]}"), {}),
        (api("!If [C, HTTP, WEBSOCKET]", "Conditions: {C: !Not [!Equals [a, b]]}"), {}),
        (
            api(
                "!If [C, WEBSOCKET, HTTP]",
                "Conditions: {C: !And [!Equals [a, b], !Equals [!Ref X, y]]}",
            ),
            {},
        ),
        (
            api(
                "!If [C, HTTP, WEBSOCKET]",
                "Conditions: {C: !Or [!Equals [a, a], !Equals [!Ref X, y]]}",
            ),
            {},
        ),
    ],
)
def test_a_protocol_that_works_out_as_http_passes(analyze, template, parameters):
    assert asked(analyze, template, parameters=parameters) == set()


@pytest.mark.parametrize(
    ("template", "parameters"),
    [
        (api("WEBSOCKET"), {}),
        (api("!Ref P", P), {"P": "WEBSOCKET"}),
        (api("!Ref P", P), {"P": UNKNOWN}),
        (api("!Ref P", P), UNKNOWN),
        (api("!Ref P", NO_DEFAULT), {}),
        (api("!Ref Nothing"), {}),
        (api("!GetAtt Other.Protocol"), {}),
        (api('"{{resolve:ssm:/protocol}}"'), {}),
        (
            api(
                "!Ref P",
                "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: HTTP}}",
            ),
            {},
        ),
        (api("!FindInMap [M, a, c]", MAP), {}),
        (api("!FindInMap [M, a, d]", MAP), {}),
        (api("!If [C, HTTP, WEBSOCKET]", "Conditions: {C: !Equals [!Ref X, y]}"), {}),
        (api("!If [Nowhere, HTTP, WEBSOCKET]"), {}),
        (api("!If [C, HTTP, WEBSOCKET]", "Conditions: {C: !Equals [a, b]}"), {}),
        (api("!If [C, HTTP, WEBSOCKET]", "Conditions: {C: !Condition C}"), {}),
        (api("!If [HTTP]"), {}),
        (api("{Fn::Transform: {Name: Protocols}}"), {}),
    ],
)
def test_a_protocol_that_may_be_websocket_does_not(analyze, template, parameters):
    assert BAN in asked(analyze, template, parameters=parameters)


def test_a_resource_that_its_condition_leaves_out_is_not_created(analyze):
    head = "Conditions: {C: !Equals [a, b], D: !Equals [!Ref X, y]}\nResources:\n"
    chat = "{Type: AWS::Serverless::WebSocketApi, Condition: %s}\n"
    assert asked(analyze, f"{head}  A: {chat % 'C'}") == set()
    assert asked(analyze, f"{head}  A: {chat % 'D'}") == {BAN}


@pytest.mark.parametrize(
    "template",
    [
        "Resources: [",
        "just text",
        "[1, 2]",
        "{}",
        "Resources: 5",
        "Resources: {A: 5}",
        "Resources: {A: {Type: [x]}}",
        "Resources: {A: {Type: ''}}",
        "Resources: {Fn::ForEach::A: 5}",
        "Resources: {A: {Type: AWS::SQS::Queue}, A: {Type: AWS::SNS::Topic}}",
        "Resources: {A: {Type: A::B::C::MODULE}}",
        "Resources: {A: {Type: AWS::SQS::Queue, Fn::Transform: {Name: Mine}}}",
        "Transform: Mine\nResources: {A: {Type: AWS::SQS::Queue}}",
        "Fn::Transform: {Name: Mine}\nResources: {A: {Type: AWS::SQS::Queue}}",
        "a: &a [x, x]\nb: &b [*a, *a, *a]\nResources: !!python/object:os.system {}",
        "Resources: {A: {Type: AWS::SQS::Queue}}\n---\nResources: {}",
        "x" * 1_000_001,
    ],
)
def test_what_cannot_be_read_is_refused(analyze, template):
    assert OPAQUE in asked(analyze, template)


def test_a_small_document_that_names_itself_many_times_is_refused(analyze):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for number in range(1, 9):
        inner = ", ".join([f"*a{number - 1}"] * 9)
        lines.append(f"a{number}: &a{number} [{inner}]")
    assert asked(analyze, "\n".join(lines)) == {OPAQUE}


def test_a_document_that_is_nested_too_deeply_is_refused(analyze):
    assert asked(analyze, '{"Resources": ' + "[" * 100_000) == {OPAQUE}


def test_stack_sets_inside_stack_sets_end_somewhere(analyze):
    import json

    template = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}
    for _ in range(12):
        inner = {"Type": "AWS::CloudFormation::StackSet"}
        inner["Properties"] = {"TemplateBody": template}
        template = {"Resources": {"S": inner}}
    assert asked(analyze, json.dumps(template)) == {OPAQUE}


def given(key: str, value: str) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value}]


def test_parameters_may_be_listed_as_the_api_lists_them(analyze):
    assert asked(analyze, api("!Ref P", NO_DEFAULT), parameters=given("P", "HTTP")) == set()
    assert BAN in asked(analyze, api("!Ref P", P), parameters=given("P", "WEBSOCKET"))
    assert BAN in asked(analyze, api("!Ref P", P), parameters=[5])
    assert BAN in asked(analyze, api("!Ref P", P), parameters=[{"ParameterKey": UNKNOWN}])


@pytest.mark.parametrize("operator", ["And", "Or"])
def test_a_condition_that_cannot_be_told_counts_for_both_sides(analyze, operator):
    sides = "[!Equals [a, a], !Equals [!Ref X, y]]"
    if operator == "Or":
        sides = "[!Equals [a, b], !Equals [!Ref X, y]]"
    conditions = f"Conditions: {{C: !{operator} {sides}}}"
    assert BAN in asked(analyze, api("!If [C, HTTP, WEBSOCKET]", conditions))
    assert BAN in asked(analyze, api("!If [C, WEBSOCKET, HTTP]", conditions))


@pytest.mark.parametrize(("sides", "protocol"), [("[a, a]", "HTTP"), ("[a, b]", "WEBSOCKET")])
def test_a_condition_of_known_sides_is_worked_out(analyze, sides, protocol):
    other = "HTTP" if protocol == "WEBSOCKET" else "WEBSOCKET"
    for operator in ("And", "Or"):
        conditions = f"Conditions: {{C: !{operator} [!Equals {sides}, !Equals {sides}]}}"
        assert asked(analyze, api(f"!If [C, {protocol}, {other}]", conditions)) == set()


def test_a_property_without_a_value_is_not_there(analyze):
    properties = "{Body: {openapi: 3.0.1}, ProtocolType: !Ref AWS::NoValue}"
    template = f"Resources: {{A: {{Type: AWS::ApiGatewayV2::Api, Properties: {properties}}}}}"
    assert asked(analyze, template) == set()  # an imported definition makes an HTTP API
    properties = "{Name: !Ref AWS::NoValue, ProtocolType: HTTP}"
    template = f"Resources: {{A: {{Type: AWS::ApiGatewayV2::Api, Properties: {properties}}}}}"
    assert asked(analyze, template) == set()
