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
