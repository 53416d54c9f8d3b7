"""IAM statements on the API that goes: narrowed to posting on the shared one, no other moved."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.errors import OperatorError
from ops.migrate.pointing import Shared
from ops.migrate.rewrite import rewrite
from ops.migrate.template import load

SHARED = Shared(
    api_id="lwk0wf6rpl",
    url="wss://lwk0wf6rpl.execute-api.us-east-1.amazonaws.com/dev",
    management_endpoint="https://lwk0wf6rpl.execute-api.us-east-1.amazonaws.com/dev",
    connections_table="WizzUser_websocket_connections_dev",
)
CONNECTIONS = {
    "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:"
    "${SharedWebSocketApiId}/dev/POST/@connections/*"
}
POST = "execute-api:ManageConnections"
OLD_ID = "pyc140yn0h"

OF_API = (
    {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${WebSocketApi}/*"},
    {"Fn::Sub": ["arn:aws:execute-api:*:*:${Api}/dev/*", {"Api": {"Ref": "WebSocketApi"}}]},
    {
        "Fn::Join": [
            ":",
            ["arn:aws:execute-api", {"Ref": "AWS::Region"}, "*", {"Ref": "WebSocketApi"}],
        ]
    },
    {"Fn::Join": ["", ["arn:aws:execute-api:*:*:", {"Fn::GetAtt": ["WebSocketApi", "ApiId"]}]]},
    f"arn:aws:execute-api:us-east-1:031857856164:{OLD_ID}/*/*/@connections/*",
    {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}::/apis/${WebSocketApi}/*"},
    {
        "Fn::If": [
            "IsProd",
            {"Fn::Sub": "arn:aws:execute-api:*:*:${WebSocketApi}/prod/*"},
            {"Fn::Sub": "arn:aws:execute-api:*:*:${WebSocketApi}/dev/*"},
        ]
    },
)
OTHERS = (
    {"Fn::GetAtt": ["WorkingHours", "Arn"]},
    {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${RestApi}/*"},
    "arn:aws:s3:::photos/*",
)
ACTIONS = (POST, "execute-api:*", "execute-api:Invoke", "*", "dynamodb:PutItem", "apigateway:GET")


def _one_or_many(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    many = st.lists(st.sampled_from(values), min_size=1, max_size=4, unique_by=json.dumps)
    return many | st.sampled_from(values)


_statements = st.fixed_dictionaries(
    {
        "Effect": st.just("Allow"),
        "Action": _one_or_many(ACTIONS),
        "Resource": _one_or_many(OF_API + OTHERS),
    },
    optional={"Sid": st.just("Mine"), "Condition": st.just({"Bool": {"a": "b"}})},
)
_entries = _statements | st.builds(
    lambda left, right: {"Fn::If": ["IsProd", left, right]},
    _statements,
    _statements | st.just({"Ref": "AWS::NoValue"}),
)
_policies = st.lists(_entries, min_size=1, max_size=3) | _statements


def _template(statement: Any) -> dict[str, Any]:
    keep = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}
    many = statement if isinstance(statement, list) else [statement]
    return {
        "Resources": {
            "WebSocketApi": {
                "Type": "AWS::ApiGatewayV2::Api",
                "Properties": {"ProtocolType": "WEBSOCKET"},
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {"Policies": [{"PolicyDocument": {"Statement": [*many, keep]}}]},
            },
        }
    }


def _rewritten(statement: Any) -> Any:
    return rewrite(_template(statement), SHARED, legacy_names=frozenset({OLD_ID})).template


def _after(statement: Any) -> list[Any]:
    role = _rewritten(statement)["Resources"]["Role"]["Properties"]
    *kept, _ = role["Policies"][0]["PolicyDocument"]["Statement"]
    return kept


def _grants(value: Any) -> set[tuple[str, str]]:
    """Every action on every resource that some branch of the statements allows."""
    if isinstance(value, list):
        return set[tuple[str, str]]().union(*map(_grants, value))
    if "Fn::If" in value:
        return _grants(value["Fn::If"][1:])
    if "Effect" not in value:
        return set()
    actions, resources = (
        [one] if not isinstance(one, list) else one for one in (value["Action"], value["Resource"])
    )
    return {(a, json.dumps(r)) for a, r in itertools.product(actions, resources)}


def _of_api(grants: set[tuple[str, str]]) -> set[tuple[str, str]]:
    named = ("${WebSocketApi}", '"WebSocketApi"', OLD_ID, "SharedWebSocketApiId")
    return {grant for grant in grants if any(name in grant[1] for name in named)}


@given(_policies)
def test_whatever_the_statements_look_like_only_posting_is_left_on_the_shared_api(
    policy: Any,
) -> None:
    before = copy.deepcopy(policy)
    had, has = _grants(policy), _grants(_after(policy))
    assert policy == before
    assert had - _of_api(had) == has - _of_api(has), "a statement of something else changed"
    may_post = any(a == "*" or a.startswith("execute-api:") for a, _ in _of_api(had))
    assert _of_api(has) == ({(POST, json.dumps(CONNECTIONS))} if may_post else set())


@given(_policies)
def test_conditions_stay_and_no_sid_stands_twice(policy: Any) -> None:
    for statement in policy if isinstance(policy, list) else [policy]:
        kept = _after(statement)
        for one in kept:
            if "Effect" in statement:
                assert one.get("Condition") == statement.get("Condition")
        sids = [one["Sid"] for one in kept if "Sid" in one]
        assert len(sids) == len(set(sids))


def test_a_statement_that_is_alone_in_its_policy_stays_one_statement() -> None:
    template = load(
        """
        Resources:
          WebSocketApi: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET}}
          Handler:
            Type: AWS::Serverless::Function
            Properties:
              Policies:
                - DynamoDBReadPolicy: {TableName: hours}
                - Statement:
                    Effect: Allow
                    Action: execute-api:*
                    Resource: !Sub arn:aws:execute-api:*:*:${WebSocketApi}/*
        """
    )
    handler = rewrite(template, SHARED).template["Resources"]["Handler"]["Properties"]
    assert handler["Policies"] == [
        {"DynamoDBReadPolicy": {"TableName": "hours"}},
        {"Statement": {"Effect": "Allow", "Action": POST, "Resource": CONNECTIONS}},
    ]


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ({"NotAction": "s3:*", "Resource": OF_API[0]}, "NotAction"),
        ({"Action": POST, "NotResource": OF_API[0]}, "NotResource"),
        ({"Action": {"Ref": "What"}, "Resource": OF_API[0]}, "not spelled out"),
        ({"Action": POST, "Resource": {"Fn::If": ["C", OF_API[0], OTHERS[1]]}}, "two statements"),
    ],
)
def test_a_statement_whose_meaning_is_open_is_refused_by_its_place(
    statement: dict[str, Any], why: str
) -> None:
    with pytest.raises(OperatorError, match=why) as refused:
        _after({"Effect": "Allow", **statement})
    assert "Resources.Role.Properties.Policies.0.PolicyDocument.Statement.0" in str(refused.value)


def test_every_refused_statement_is_named_at_once() -> None:
    statement = {"Effect": "Allow", "NotAction": "s3:*", "Resource": OF_API[0]}
    with pytest.raises(OperatorError, match=r"(?s)Statement\.0: .*Statement\.1: "):
        _after([statement, statement])


def test_a_policy_of_nothing_but_the_old_apis_administration_is_refused() -> None:
    template = _template({"Effect": "Allow", "Action": "apigateway:GET", "Resource": OF_API[5]})
    document = template["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]
    del document["Statement"][1:]
    with pytest.raises(OperatorError, match="speaks only of the API that goes"):
        rewrite(template, SHARED)


def test_a_denial_is_pointed_at_the_shared_api_as_wide_as_it_was() -> None:
    denied = {"Effect": "Deny", "Action": "execute-api:*", "Resource": OF_API[0]}
    (kept,) = _after(denied)
    assert kept["Action"] == "execute-api:*"
    assert kept["Resource"]["Fn::Sub"].endswith("${SharedWebSocketApiId}/*")


@pytest.mark.parametrize("everywhere", ["*", "arn:aws:execute-api:*:*:*/@connections/*"])
def test_posting_to_every_api_becomes_posting_to_the_shared_one(everywhere: str) -> None:
    (kept,) = _after({"Effect": "Allow", "Action": [POST], "Resource": [everywhere]})
    assert kept["Resource"] == CONNECTIONS


def test_more_than_posting_on_every_api_stays_and_is_reported() -> None:
    statement = {"Effect": "Allow", "Action": "execute-api:*", "Resource": "*"}
    result = rewrite(_template(statement), SHARED)
    assert any("execute-api:* on every API" in left for left in result.leftovers)
    assert _after(statement) == [statement]
