"""Whatever a tree of properties holds: no exception, and no WebSocket API passes."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.kinds import API
from policies.server import Analyzer
from policies.table import RULES
from policies.wire import OUTPUT, SECRET, SIGNATURE
from tests.policies.conftest import UNKNOWN, request
from tests.policies.running import ask, rules_of

BAN = "no-standalone-websocket-api"
TYPES = sorted(
    {
        "aws:apigatewayv2/api:Api",
        "aws:apigatewayv2/route:Route",
        "aws:apigatewayv2/stage:Stage",
        "aws-native:index:ExtensionResource",
        "aws:appsync/graphQLApi:GraphQLApi",
        "aws:cloudcontrol/resource:Resource",
        "aws:cloudformation/stack:Stack",
        "aws:cloudformation/stackSet:StackSet",
        "aws:dynamodb/table:Table",
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:iot/domainConfiguration:DomainConfiguration",
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        "aws:lambda/function:Function",
        "aws:lambda/permission:Permission",
        "aws:cloudwatch/eventTarget:EventTarget",
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:servicecatalog/provisionedProduct:ProvisionedProduct",
        "aws:serverlessrepository/cloudFormationStack:CloudFormationStack",
        "command:local:Command",
        "kubernetes:apigatewayv2.services.k8s.aws/v1alpha1:API",
        "pulumi-python:dynamic:Resource",
        "chat:index:Module",
        "chat:tf:aws_apigatewayv2_api",
    }
)
NAMES = st.sampled_from(
    [
        "protocolType",
        "ProtocolType",
        "templateBody",
        "templateUrl",
        "parameters",
        "desiredState",
        "typeName",
        "type",
        "properties",
        "policy",
        "policyDocument",
        "Statement",
        "Effect",
        "Action",
        "Resource",
        "NotAction",
        "inlinePolicies",
        "managedPolicyArns",
        "environment",
        "variables",
        "WEBSOCKET_ENDPOINT",
        "IDENTITY_MODE",
        "routeKey",
        "apiId",
        "name",
        "hashKey",
        "keySchema",
        "globalSecondaryIndexes",
        "principal",
        "sourceArn",
        "create",
        "stdin",
        "spec",
        "forProvider",
        "items",
        "Resources",
        "Type",
        "Properties",
        "Conditions",
        "Condition",
        "Ref",
        "Fn::If",
        "Fn::Sub",
        "Fn::ForEach::A",
        "Fn::Transform",
        "Parameters",
        "Default",
        "loggingConfig",
        "destinationConfig",
        "onFailure",
        "location",
    ]
)
WORDS = st.sampled_from(
    [
        "WEBSOCKET",
        "HTTP",
        "*",
        "",
        UNKNOWN,
        "lwk0wf6rpl",
        "$connect",
        "dynamodb:*",
        "arn:aws:dynamodb:us-east-1:1:table/*",
        "AWS::ApiGatewayV2::Api",
        "AWS::CloudFormation::Stack",
        "{",
        "Resources: {A: {Type: AWS::ApiGatewayV2::Api}}",
        "!Ref A",
        "&a [*a]",
        "wss://lwk0wf6rpl.execute-api.us-east-1.amazonaws.com",
        "aws apigatewayv2 create-api",
        "sam deploy",
    ]
)
SCALARS = st.one_of(
    WORDS,
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(NAMES, st.text(max_size=8)), inner, max_size=4),
        inner.map(lambda value: {SIGNATURE: SECRET, "value": value}),
        inner.map(lambda value: {SIGNATURE: OUTPUT, "value": value}),
        st.just({SIGNATURE: OUTPUT}),
        st.just({SIGNATURE: "of a type that nobody knows"}),
        inner.map(json.dumps),
    )


TREES = st.recursive(SCALARS, containers, max_leaves=20)
PROPERTIES = st.dictionaries(NAMES, TREES, max_size=6)


@settings(max_examples=300, deadline=None)
@given(type_=st.sampled_from(TYPES), props=PROPERTIES)
def test_no_tree_of_properties_makes_a_rule_fail(type_, props):
    registered = {"type": type_, "name": "thing", "urn": f"urn:pulumi:d::p::{type_}::thing"}
    found = ask(Analyzer(), [{**registered, "inputs": props}])
    assert not [each for each in found if "could not be run" in each.message]


def hidden(protocol: Any) -> st.SearchStrategy[Any]:
    """A protocol in every wrapping that means the same to a provider."""
    return st.sampled_from(
        [
            protocol,
            {SIGNATURE: SECRET, "value": protocol},
            {SIGNATURE: OUTPUT, "value": protocol},
            {SIGNATURE: OUTPUT},
            {SIGNATURE: SECRET, "ciphertext": "v1:abc"},
            [protocol],
            UNKNOWN,
            f" {protocol}\n",
            protocol.lower(),
        ]
    )


@settings(max_examples=200, deadline=None)
@given(protocol=hidden("WEBSOCKET"), rest=PROPERTIES, casing=st.sampled_from(["", "tfaws:index/"]))
def test_no_wrapping_lets_a_websocket_api_pass(protocol, rest, casing):
    for name in ("protocolType", "ProtocolType", "protocol_type"):
        rest.pop(name, None)
    type_ = f"{casing}apigatewayv2Api:Apigatewayv2Api" if casing else "aws:apigatewayv2/api:Api"
    answer = Analyzer().Analyze(request(type_, {**rest, "protocolType": protocol}), None)
    assert BAN in rules_of(answer.diagnostics)


@settings(max_examples=200, deadline=None)
@given(
    around=PROPERTIES,
    names=st.lists(st.text("abcXYZ", min_size=1, max_size=5), min_size=1, max_size=3, unique=True),
    layers=st.integers(0, 3),
)
def test_no_template_hides_a_websocket_api(around, names, layers):
    api = {"Type": API, "Properties": {**around, "ProtocolType": "WEBSOCKET"}}
    for name in ("protocolType", "protocol_type"):
        api["Properties"].pop(name, None)
    template: dict[str, Any] = {"Resources": dict.fromkeys(names, api)}
    for _ in range(layers):
        inner = {"Type": "AWS::CloudFormation::StackSet"}
        inner["Properties"] = {"TemplateBody": json.dumps(template)}
        template = {"Resources": {"Inner": inner}}
    props = {"templateBody": json.dumps(template)}
    answer = Analyzer().Analyze(request("aws:cloudformation/stack:Stack", props), None)
    assert BAN in rules_of(answer.diagnostics)


def test_every_kind_that_a_rule_wants_is_among_the_types():
    from policies.kinds import kind_of

    reached = {kind_of(type_) for type_ in TYPES}
    assert {rule.name for rule in RULES if rule.kinds & reached} >= {
        rule.name
        for rule in RULES
        if rule.kinds and rule.name not in {"no-opaque-template", "custom-resource-may-create-api"}
    }
