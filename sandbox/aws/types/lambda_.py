"""Lambda: functions with their code, and what calls them."""

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws import schema as row
from sandbox.aws.code import zipped
from sandbox.aws.errors import ProviderError
from sandbox.aws.operation import Operation


def _with_code(operation: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """Add the code to what creates a function or updates its code, which never goes without."""
    if not operation.state or operation.changed & {"code", "architectures"}:
        code = zipped(operation.get("code"), operation.session.cwd)
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
        reason = found.get("StateReason") or found.get("LastUpdateStatusReason")
        raise ProviderError(f"Lambda could not take {found['FunctionName']}: {reason}")
    return states == ("Active", "Successful")


_INVOKE: Final = "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}"

FUNCTION: Final = row.resource(
    "lambda/function:Function",
    row.text("name", "FunctionName", replaces=True, autoname=64),
    row.text("role", required=True),
    row.texts("architectures", computed=True),
    row.archive("code", None, needed=True),
    row.record("deadLetterConfig", row.text("targetArn", required=True)),
    row.text("description"),
    row.text("handler runtime", needed=True),
    row.record("environment", row.mapping("variables")),
    row.record("ephemeralStorage", row.integer("size", within=(512, 10240)), computed=True),
    row.text("kmsKeyArn", "KMSKeyArn"),
    row.texts("layers"),
    row.record(
        "loggingConfig",
        row.text("logFormat", required=True, choices=("Text", "JSON")),
        row.text("applicationLogLevel logGroup systemLogLevel", computed=True),
        computed=True,
    ),
    row.integer("memorySize", default=128, within=(128, 10240)),
    row.text("packageType", default="Zip", replaces=True, choices=("Zip",)),
    row.integer(
        "reservedConcurrentExecutions",
        default=-1,
        within=(-1, math.inf),
        own=("put_function_concurrency", "delete_function_concurrency"),
    ),
    row.integer("timeout", default=3, within=(1, 900)),
    row.record("tracingConfig", row.text("mode", required=True), computed=True),
    row.out("arn", "FunctionArn"),
    row.out("codeSha256 lastModified", volatile=True),
    row.out("invokeArn", None, template=f"{_INVOKE}/invocations"),
    row.out("qualifiedArn", None, template="{arn}:{version}"),
    row.out("qualifiedInvokeArn", None, template=f"{_INVOKE}:{{version}}/invocations"),
    row.out(
        "responseStreamingInvokeArn",
        None,
        template="arn:aws:apigateway:{region}:lambda:path/2021-11-15/functions/{arn}"
        "/response-streaming-invocations",
    ),
    row.out("signingJobArn signingProfileVersionArn", None),
    row.integer("sourceCodeSize", "CodeSize", output=True, volatile=True),
    row.out("version"),
    row.TAGS,
    noun="function",
    sends=_with_code,
    tells=_function_told,
    update=("update_function_configuration", "update_function_code"),
    ready=_function_settled,
    key={"FunctionName": "id"},
    unique=("name",),
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
                **found,
                "Action": statement["Action"],
                "Principal": principal,
                "SourceArn": conditions.get("aws:sourcearn"),
                "SourceAccount": conditions.get("aws:sourceaccount"),
            }
    return None


PERMISSION: Final = row.resource(
    "lambda/permission:Permission",
    row.text("action principal", required=True, replaces=True),
    row.text("function", "FunctionName", required=True, replaces=True, same=same_function),
    row.text("sourceAccount sourceArn", replaces=True),
    row.text("statementId", replaces=True, autoname=100),
    create="add_permission",
    read="get_policy",
    tells=_statement,
    delete="remove_permission",
    key={"FunctionName": "function", "StatementId": "id"},
    unique=("function", "statementId"),
)

EVENT_SOURCE_MAPPING: Final = row.resource(
    "lambda/eventSourceMapping:EventSourceMapping",
    row.text("functionName", told="FunctionArn", required=True, same=same_function),
    row.integer("batchSize", computed=True, within=(1, 10000)),
    row.flag("bisectBatchOnFunctionError"),
    row.record(
        "destinationConfig", row.record("onFailure", row.text("destinationArn", "Destination"))
    ),
    row.flag("enabled", told="State", default=True),
    row.text("eventSourceArn", replaces=True),
    row.record("filterCriteria", row.record_set("filters", row.text("pattern"))),
    row.text_set("functionResponseTypes"),
    row.integer("maximumBatchingWindowInSeconds", within=(0, 300)),
    row.integer("maximumRecordAgeInSeconds", computed=True, within=(-1, 604800)),
    row.integer("maximumRetryAttempts", computed=True, within=(-1, 10000)),
    row.integer("parallelizationFactor", computed=True, within=(1, 10)),
    row.record("scalingConfig", row.integer("maximumConcurrency", within=(2, 1000))),
    row.text("startingPosition", replaces=True, choices=("LATEST", "TRIM_HORIZON")),
    row.integer("tumblingWindowInSeconds", within=(0, 900)),
    row.out("arn", "EventSourceMappingArn"),
    row.out("functionArn lastProcessingResult"),
    row.out("lastModified state stateTransitionReason", volatile=True),
    row.out("uuid", "UUID"),
    row.TAGS,
    noun="event_source_mapping",
    ready=lambda found: found["State"] in ("Enabled", "Disabled"),
    key={"UUID": "id"},
    unique=("functionName", "eventSourceArn"),
)
