"""Lambda: functions with their code, and what calls them."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.code import zipped
from sandbox.aws.errors import ProviderError
from sandbox.aws.operation import Operation
from sandbox.aws.schema import (
    TAGS,
    archive,
    flag,
    integer,
    mapping,
    out,
    record,
    record_set,
    resource,
    text,
    text_set,
    texts,
)


def _with_code(operation: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """Add the code to what creates a function or updates its code, which never goes without."""
    if not operation.state or operation.changed & {"code", "sourceCodeHash", "architectures"}:
        code = zipped(operation.get("code"), operation.cwd)
        given |= {"Code": {"ZipFile": code}, "ZipFile": code}
    return given


def _function_told(_: Operation, found: dict[str, Any]) -> dict[str, Any]:
    configuration = found["Configuration"]
    reserved = found.get("Concurrency", {}).get("ReservedConcurrentExecutions", -1)
    layers = [each["Arn"] for each in configuration.get("Layers", ())]
    return {**configuration, "Layers": layers, "ReservedConcurrentExecutions": reserved}


def _function_settled(found: Mapping[str, Any]) -> bool:
    """Say whether Lambda has taken the last change: until then it refuses the next."""
    states = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
    if "Failed" in states:
        reason = (
            found.get("StateReason") or found.get("LastUpdateStatusReason") or "no reason given"
        )
        name = found["FunctionName"]
        raise ProviderError(f"Lambda could not take the function {name}: {reason}")
    return states == ("Active", "Successful")


def _function_needs(inputs: Mapping[str, Any]) -> Mapping[str, str]:
    return {
        name: f"a function whose code is an archive needs {name}"
        for name in ("code", "handler", "runtime")
        if name not in inputs
    }


_INVOKE: Final = "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}"

FUNCTION: Final = resource(
    "lambda/function:Function",
    text("name", "FunctionName", replaces=True, autoname=64),
    text("role", required=True),
    texts("architectures", computed=True),
    archive("code", None),
    record("deadLetterConfig", text("targetArn", required=True)),
    text("description handler runtime"),
    record("environment", mapping("variables")),
    record("ephemeralStorage", integer("size", within=(512, 10240)), computed=True),
    text("kmsKeyArn", "KMSKeyArn"),
    texts("layers"),
    record(
        "loggingConfig",
        text("logFormat", required=True, choices=("Text", "JSON")),
        text("applicationLogLevel logGroup systemLogLevel", computed=True),
        computed=True,
    ),
    integer("memorySize", default=128, within=(128, 10240)),
    text("packageType", default="Zip", replaces=True, choices=("Zip",)),
    integer(
        "reservedConcurrentExecutions",
        default=-1,
        within=(-1, None),
        own=("put_function_concurrency", "delete_function_concurrency"),
    ),
    flag("skipDestroy", None, default=False),
    text("sourceCodeHash", None, told="CodeSha256", computed=True, volatile=True),
    integer("timeout", default=3, within=(1, 900)),
    record("tracingConfig", text("mode", required=True), computed=True),
    out("arn", "FunctionArn"),
    out("codeSha256 lastModified", volatile=True),
    out("invokeArn", None, template=f"{_INVOKE}/invocations"),
    out("qualifiedArn", None, template="{arn}:{version}"),
    out("qualifiedInvokeArn", None, template=f"{_INVOKE}:{{version}}/invocations"),
    out(
        "responseStreamingInvokeArn",
        None,
        template="arn:aws:apigateway:{region}:lambda:path/2021-11-15/functions/{arn}"
        "/response-streaming-invocations",
    ),
    out("signingJobArn signingProfileVersionArn", None),
    integer("sourceCodeSize", "CodeSize", output=True, volatile=True),
    out("version"),
    TAGS,
    noun="function",
    sends=_with_code,
    tells=_function_told,
    update=("update_function_configuration", "update_function_code"),
    ready=_function_settled,
    key={"FunctionName": "id"},
    unique=("name",),
    needs=_function_needs,
)


def same_function(one: str, other: str) -> bool:
    """Whether a name and an ARN, or two of one kind, are of the same function."""
    return one.rsplit(":function:", 1)[-1] == other.rsplit(":function:", 1)[-1]


def _statement(operation: Operation, found: dict[str, Any]) -> dict[str, Any] | None:
    """Find a statement in a function's policy, and turn it into what AddPermission was given."""
    for statement in json.loads(found["Policy"])["Statement"]:
        if statement["Sid"] == operation.id:
            principal = statement["Principal"]
            if isinstance(principal, dict):
                principal = principal.get("Service") or principal.get("AWS")
            tests = statement.get("Condition", {}).values()
            conditions = {key.lower(): value for test in tests for key, value in test.items()}
            return {
                "FunctionName": operation.get("function"),
                "StatementId": statement["Sid"],
                "Action": statement["Action"],
                "Principal": principal,
                "SourceArn": conditions.get("aws:sourcearn"),
                "SourceAccount": conditions.get("aws:sourceaccount"),
                "PrincipalOrgID": conditions.get("aws:principalorgid"),
                "EventSourceToken": conditions.get("lambda:eventsourcetoken"),
            }
    return None


PERMISSION: Final = resource(
    "lambda/permission:Permission",
    text("action principal", required=True, replaces=True),
    text("function", "FunctionName", required=True, replaces=True, same=same_function),
    text("eventSourceToken sourceAccount sourceArn", replaces=True),
    text("principalOrgId", "PrincipalOrgID", replaces=True),
    text("statementId", replaces=True, autoname=100),
    text("statementIdPrefix", None, replaces=True),
    create="add_permission",
    read="get_policy",
    tells=_statement,
    update=(),
    delete="remove_permission",
    key={"FunctionName": "function", "StatementId": "id"},
    unique=("function", "statementId"),
)

EVENT_SOURCE_MAPPING: Final = resource(
    "lambda/eventSourceMapping:EventSourceMapping",
    text("functionName", told="FunctionArn", required=True, same=same_function),
    integer("batchSize", computed=True, within=(1, 10000)),
    flag("bisectBatchOnFunctionError"),
    record("destinationConfig", record("onFailure", text("destinationArn", "Destination"))),
    flag("enabled", told="State", default=True),
    text("eventSourceArn", replaces=True),
    record("filterCriteria", record_set("filters", text("pattern"))),
    text_set("functionResponseTypes"),
    integer("maximumBatchingWindowInSeconds", within=(0, 300)),
    integer("maximumRecordAgeInSeconds", computed=True, within=(-1, 604800)),
    integer("maximumRetryAttempts", computed=True, within=(-1, 10000)),
    integer("parallelizationFactor", computed=True, within=(1, 10)),
    record("scalingConfig", integer("maximumConcurrency", within=(2, 1000))),
    text("startingPosition", replaces=True, choices=("LATEST", "TRIM_HORIZON")),
    integer("tumblingWindowInSeconds", within=(0, 900)),
    out("arn", "EventSourceMappingArn"),
    out("functionArn lastProcessingResult"),
    out("lastModified state stateTransitionReason", volatile=True),
    out("uuid", "UUID"),
    TAGS,
    noun="event_source_mapping",
    ready=lambda found: found["State"] in ("Enabled", "Disabled"),
    key={"UUID": "id"},
    unique=("functionName", "eventSourceArn"),
)
