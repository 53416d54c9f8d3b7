"""Rules over a whole stack: functions of the shared platform, and what they leave behind."""

from typing import Any

import pytest

from policies.evaluation import Evaluation
from policies.kinds import kind_of
from policies.model import Deferred, Finding, Registered, Resource
from policies.rule import Rule
from policies.settings import Settings
from policies.table import BY_NAME
from policies.values import Props
from policies.wire import from_json
from tests.policies.cases import FUNCTION, GATEWAY, LOG_GROUP, PERMISSION, SOURCE
from tests.policies.conftest import UNKNOWN

LOGS = "function-keeps-its-logs"
DEAD_LETTERS = "function-has-dead-letter-target"
BOUNDED = "event-source-is-bounded"
VIEW = "no-websocket-api-in-terraform-module"
SHARED = {"variables": {"WEBSOCKET_CONNECTIONS_TABLE": "WizzUser_websocket_connections_dev"}}
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
RULE = "aws:cloudwatch/eventRule:EventRule"
INVOKE_CONFIG = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
STREAM = "arn:aws:dynamodb:us-east-1:1:table/Orders/stream/1"


def one(type_: str, logical: str, props: dict | None = None, **refers: str) -> Registered:
    """A registered resource; `refers` says which property refers to which resource."""
    read = from_json(props or {})
    assert isinstance(read, dict)
    return Registered(
        resource=Resource(
            type=type_, kind=kind_of(type_), name=logical, urn=f"urn:{logical}", props=Props(read)
        ),
        property_dependencies={prop: [f"urn:{other}"] for prop, other in refers.items()},
    )


def function(**props) -> Registered:
    return one(FUNCTION, "orders", {"name": "orders", "environment": SHARED, **props})


def said(
    rule: str, *stack: Registered, using: Rule | None = None, **options: Any
) -> tuple[int, int]:
    """How many findings and how many deferrals."""
    evaluation = Evaluation([using or BY_NAME[rule]], Settings(options={rule: options}))
    outcomes = [outcome for _, outcome in evaluation.check_stack(stack)]
    return (
        sum(isinstance(outcome, Finding) for outcome in outcomes),
        sum(isinstance(outcome, Deferred) for outcome in outcomes),
    )


FOUND, QUIET, LATER = (1, 0), (0, 0), (0, 1)


LOG_CASES = [
    ([function()], FOUND),
    ([function(environment={})], QUIET),
    (
        [
            function(),
            one(LOG_GROUP, "logs", {"name": "/aws/lambda/orders", "retentionInDays": 7}),
        ],
        QUIET,
    ),
    ([function(), one(LOG_GROUP, "logs", {"name": "/aws/lambda/orders"})], FOUND),
    (
        [
            function(),
            one(LOG_GROUP, "logs", {"name": "/aws/lambda/orders", "retentionInDays": 0}),
        ],
        FOUND,
    ),
    (
        [
            function(),
            one(LOG_GROUP, "logs", {"name": "/aws/lambda/others", "retentionInDays": 7}),
        ],
        FOUND,
    ),
    (
        [
            function(loggingConfig={"logGroup": "/shop"}),
            one(LOG_GROUP, "logs", {"name": "/shop", "retentionInDays": 7}),
        ],
        QUIET,
    ),
    (
        [
            function(loggingConfig={"logGroup": "/shop"}),
            one(LOG_GROUP, "logs", {"name": "/aws/lambda/orders", "retentionInDays": 7}),
        ],
        FOUND,
    ),
    (
        [
            function(name=UNKNOWN),
            one(LOG_GROUP, "logs", {"name": UNKNOWN, "retentionInDays": 7}, name="orders"),
        ],
        QUIET,
    ),
    (
        [
            function(name=UNKNOWN),
            one(LOG_GROUP, "logs", {"name": UNKNOWN, "retentionInDays": UNKNOWN}),
        ],
        LATER,
    ),
    ([function(loggingConfig={"logGroup": UNKNOWN})], LATER),
]


@pytest.mark.parametrize(("stack", "expected"), LOG_CASES)
def test_a_function_of_the_platform_keeps_its_logs_for_a_while(stack, expected):
    assert said(LOGS, *stack) == expected


def test_a_function_elsewhere_is_looked_at_where_the_configuration_says_so():
    plain = function(environment={})
    assert said(LOGS, plain, everywhere=True) == FOUND


NAMING = [
    {"WEBSOCKET_ENDPOINT": "https://lwk0wf6rpl.execute-api.us-east-1.amazonaws.com/dev"},
    {"API": "lwk0wf6rpl"},
    {"TABLE": "WizzUser_websocket_subscriptions_dev"},
    {"URL": "wss://lwk0wf6rpl.execute-api.us-east-1.amazonaws.com/dev"},
]


@pytest.mark.parametrize("variables", NAMING)
def test_a_function_that_names_the_platform_in_its_environment_is_one_of_the_platform(variables):
    assert said(LOGS, function(environment={"variables": variables})) == FOUND


NOT_NAMING = [{"TABLE": "Orders"}, {"TABLE": UNKNOWN}, {"URL": "https://a"}]


@pytest.mark.parametrize("variables", NOT_NAMING)
def test_a_function_that_does_not_name_the_platform_is_none_of_our_business(variables):
    assert said(LOGS, function(environment={"variables": variables})) == QUIET


def permission(principal: str, **refers: str) -> Registered:
    props = {"principal": principal, "function": UNKNOWN}
    return one(PERMISSION, "permission", props, function="orders", **refers)


DEAD_LETTER_CASES = [
    ([function()], FOUND),
    ([function(), permission(GATEWAY)], QUIET),
    ([function(), permission("sns.amazonaws.com")], FOUND),
    ([function(), permission(GATEWAY), permission("sns.amazonaws.com")], FOUND),
    (
        [function(deadLetterConfig={"targetArn": UNKNOWN}), permission("sns.amazonaws.com")],
        QUIET,
    ),
    ([function(deadLetterConfig={}), permission("sns.amazonaws.com")], FOUND),
    (
        [
            function(),
            permission("sns.amazonaws.com"),
            one(
                INVOKE_CONFIG,
                "config",
                {
                    "functionName": "orders",
                    "destinationConfig": {"onFailure": {"destination": "arn:x"}},
                },
            ),
        ],
        QUIET,
    ),
    (
        [
            function(),
            permission("sns.amazonaws.com"),
            one(INVOKE_CONFIG, "config", {"functionName": "orders"}),
        ],
        FOUND,
    ),
    ([function(), one(SOURCE, "source", {"functionName": "orders"})], QUIET),
    (
        [
            function(),
            one(RULE, "every-day", {"scheduleExpression": "rate(1 day)"}),
            one(TARGET, "target", {}, arn="orders", rule="every-day"),
            permission("events.amazonaws.com", sourceArn="every-day"),
        ],
        QUIET,
    ),
    (
        [
            function(),
            one(RULE, "order-placed", {"eventPattern": "{}"}),
            one(TARGET, "target", {}, arn="orders", rule="order-placed"),
        ],
        FOUND,
    ),
    (
        [
            function(),
            one(RULE, "order-placed", {"eventPattern": "{}"}),
            one(
                TARGET,
                "target",
                {"deadLetterConfig": {"arn": "arn:x"}},
                arn="orders",
                rule="order-placed",
            ),
        ],
        QUIET,
    ),
]


@pytest.mark.parametrize(("stack", "expected"), DEAD_LETTER_CASES)
def test_a_function_that_nobody_waits_for_keeps_what_it_failed_on(stack, expected):
    assert said(DEAD_LETTERS, *stack) == expected


BOUNDS = {
    "eventSourceArn": STREAM,
    "bisectBatchOnFunctionError": True,
    "maximumRetryAttempts": 5,
    "destinationConfig": {"onFailure": {"destinationArn": "arn:x"}},
}


def source(**props) -> Registered:
    return one(SOURCE, "source", {"functionName": "orders", **props})


SOURCE_CASES = [
    (BOUNDS, 0),
    ({"eventSourceArn": STREAM}, 3),
    ({"eventSourceArn": UNKNOWN, "startingPosition": "LATEST"}, 3),
    ({**BOUNDS, "bisectBatchOnFunctionError": False}, 1),
    ({**BOUNDS, "bisectBatchOnFunctionError": "false"}, 1),
    ({**BOUNDS, "bisectBatchOnFunctionError": UNKNOWN}, 0),
    ({**BOUNDS, "maximumRetryAttempts": -1}, 1),
    ({**BOUNDS, "maximumRetryAttempts": "-1", "maximumRecordAgeInSeconds": 600}, 0),
    ({**BOUNDS, "maximumRetryAttempts": UNKNOWN}, 0),
    ({**BOUNDS, "maximumRetryAttempts": 0}, 0),
    ({**BOUNDS, "destinationConfig": {}}, 1),
    ({"eventSourceArn": "arn:aws:sqs:us-east-1:1:q"}, 1),
    ({"eventSourceArn": UNKNOWN}, 1),
    (
        {
            "eventSourceArn": "arn:aws:sqs:us-east-1:1:q",
            "functionResponseTypes": ["ReportBatchItemFailures"],
        },
        0,
    ),
    ({"eventSourceArn": "arn:aws:sqs:us-east-1:1:q", "functionResponseTypes": UNKNOWN}, 0),
    ({"selfManagedEventSource": {}}, 0),
]


@pytest.mark.parametrize(("props", "expected"), SOURCE_CASES)
def test_an_event_source_has_bounds(props, expected):
    assert said(BOUNDED, function(), source(**props)) == (expected, 0)


def test_an_event_source_of_another_function_is_none_of_our_business_unless_asked_for():
    stack = [function(environment={}), source(eventSourceArn=STREAM)]
    assert said(BOUNDED, *stack) == QUIET
    assert said(BOUNDED, *stack, everywhere=True) == (3, 0)


def test_a_websocket_api_behind_an_unknown_value_does_not_hide_the_next_one():
    api = "chat:tf:aws_apigatewayv2_api"
    stack = [
        one(api, "a", {"protocol_type": UNKNOWN}),
        one(api, "b", {"protocol_type": "WEBSOCKET"}),
        one(api, "c", {"protocol_type": "HTTP"}),
        one("chat:tf:aws_s3_bucket", "d"),
    ]
    assert said(VIEW, *stack) == (2, 0)


STACK_CASES = [
    *((LOGS, stack, {}, expected) for stack, expected in LOG_CASES),
    (LOGS, [function(environment={})], {"everywhere": True}, FOUND),
    *((LOGS, [function(environment={"variables": given})], {}, FOUND) for given in NAMING),
    *((LOGS, [function(environment={"variables": given})], {}, QUIET) for given in NOT_NAMING),
    *((DEAD_LETTERS, stack, {}, expected) for stack, expected in DEAD_LETTER_CASES),
    *((BOUNDED, [function(), source(**props)], {}, (times, 0)) for props, times in SOURCE_CASES),
    (BOUNDED, [function(environment={}), source(eventSourceArn=STREAM)], {}, QUIET),
    (
        BOUNDED,
        [function(environment={}), source(eventSourceArn=STREAM)],
        {"everywhere": True},
        (3, 0),
    ),
    (VIEW, [one("a:tf:aws_apigatewayv2_api", "a", {"protocol_type": "WEBSOCKET"})], {}, FOUND),
    (VIEW, [one("a:tf:aws_apigatewayv2_api", "a", {"protocol_type": "HTTP"})], {}, QUIET),
    (VIEW, [one("a:tf:aws_s3_bucket", "a", {})], {}, QUIET),
]
"""Rule, stack, options, and how many findings and deferrals: for the mutation test."""
