"""Lambda functions and their code."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.aws.code import zipped
from sandbox.aws.errors import ProviderError
from sandbox.aws.operation import Operation, tolerating_absence
from sandbox.aws.schema import (
    Kind,
    ResourceType,
    Tagging,
    archive,
    flag,
    integer,
    mapping,
    out,
    properties,
    record,
    table,
    text,
    texts,
)

_CODE: Final = frozenset({"code", "sourceCodeHash", "architectures"})
_ELSEWHERE: Final = frozenset({"tags", "reservedConcurrentExecutions", "skipDestroy"})


def _create_function(operation: Operation) -> str:
    parameters = operation.parameters()
    parameters.pop("ReservedConcurrentExecutions")
    made = operation.api.create_function(
        **parameters,
        Code={"ZipFile": zipped(operation.get("code"), operation.cwd)},
        **operation.tag_parameters(),
    )
    return str(made["FunctionName"])


def _finish_function(operation: Operation) -> None:
    _settled(operation)
    if operation.inputs.get("reservedConcurrentExecutions") is not None:
        _reserve(operation)


def _settled(operation: Operation) -> None:
    """Wait until Lambda has taken the last change: until then it refuses the next."""

    def done() -> bool:
        now = operation.api.get_function_configuration(FunctionName=operation.id)
        if "Failed" in (now.get("State"), now.get("LastUpdateStatus")):
            reason = (
                now.get("StateReason") or now.get("LastUpdateStatusReason") or "no reason given"
            )
            raise ProviderError(f"Lambda could not take the function {operation.id}: {reason}")
        return (
            now.get("State", "Active") == "Active"
            and now.get("LastUpdateStatus", "Successful") == "Successful"
        )

    operation.wait(done, f"the function {operation.id} is active")


def _reserve(operation: Operation) -> None:
    reserved = operation.inputs.get("reservedConcurrentExecutions")
    if reserved is None or reserved < 0:
        with tolerating_absence():
            operation.api.delete_function_concurrency(FunctionName=operation.id)
    else:
        operation.api.put_function_concurrency(
            FunctionName=operation.id, ReservedConcurrentExecutions=reserved
        )


def _read_function(operation: Operation) -> Mapping[str, Any]:
    found = operation.api.get_function(FunctionName=operation.id)
    reserved = found.get("Concurrency", {}).get("ReservedConcurrentExecutions", -1)
    layers = [each["Arn"] for each in found["Configuration"].get("Layers", ())]
    return {
        **found["Configuration"],
        "Layers": layers,
        "ReservedConcurrentExecutions": reserved,
        "Tags": found.get("Tags", {}),
    }


def _update_function(operation: Operation) -> None:
    settings = operation.changed - _CODE - _ELSEWHERE
    if settings:
        operation.api.update_function_configuration(
            FunctionName=operation.id, **operation.parameters(settings)
        )
        _settled(operation)
    if operation.changed & _CODE:
        operation.api.update_function_code(
            FunctionName=operation.id,
            ZipFile=zipped(operation.get("code"), operation.cwd),
            Architectures=operation.get("architectures"),
        )
        _settled(operation)
    if "reservedConcurrentExecutions" in operation.changed:
        _reserve(operation)


def _delete_function(operation: Operation) -> None:
    operation.api.delete_function(FunctionName=operation.id)


def _function_outputs(operation: Operation, response: Mapping[str, Any]) -> Mapping[str, Any]:
    arn, version = response["FunctionArn"], response["Version"]
    gateway = f"arn:aws:apigateway:{operation.region}:lambda:path"
    return {
        "invokeArn": f"{gateway}/2015-03-31/functions/{arn}/invocations",
        "qualifiedArn": f"{arn}:{version}",
        "qualifiedInvokeArn": f"{gateway}/2015-03-31/functions/{arn}:{version}/invocations",
        "responseStreamingInvokeArn": (
            f"{gateway}/2021-11-15/functions/{arn}/response-streaming-invocations"
        ),
        "sourceCodeHash": operation.inputs.get("sourceCodeHash") or response["CodeSha256"],
        "signingJobArn": "",
        "signingProfileVersionArn": "",
    }


def _function_needs(inputs: Mapping[str, Any]) -> Mapping[str, str]:
    return {
        name: f"a function whose code is an archive needs {name}"
        for name in ("code", "handler", "runtime")
        if name not in inputs
    }


FUNCTION: Final = ResourceType(
    pulumi_name="aws:lambda/function:Function",
    service="lambda",
    properties=properties(
        text("name", "FunctionName", replaces=True),
        text("role", required=True),
        texts("architectures", computed=True),
        archive("code", None),
        record("deadLetterConfig", text("targetArn", required=True)),
        text("description"),
        record("environment", mapping("variables")),
        record("ephemeralStorage", integer("size", least=512, most=10240), computed=True),
        text("handler"),
        text("kmsKeyArn", "KMSKeyArn"),
        texts("layers"),
        record(
            "loggingConfig",
            text("logFormat", required=True, choices=("Text", "JSON")),
            text("applicationLogLevel", computed=True),
            text("logGroup", computed=True),
            text("systemLogLevel", computed=True),
            computed=True,
        ),
        integer("memorySize", default=128, least=128, most=10240),
        text("packageType", default="Zip", replaces=True, choices=("Zip",)),
        integer("reservedConcurrentExecutions", default=-1, least=-1),
        text("runtime"),
        flag("skipDestroy", None, default=False),
        text("sourceCodeHash", None, computed=True),
        integer("timeout", default=3, least=1, most=900),
        record("tracingConfig", text("mode", required=True), computed=True),
        out("arn", "FunctionArn"),
        out("codeSha256"),
        out("invokeArn", None),
        out("lastModified"),
        out("qualifiedArn", None),
        out("qualifiedInvokeArn", None),
        out("responseStreamingInvokeArn", None),
        out("signingJobArn", None),
        out("signingProfileVersionArn", None),
        out("sourceCodeSize", "CodeSize", Kind.INTEGER),
        out("version"),
        tags=True,
    ),
    create=_create_function,
    finish=_finish_function,
    read=_read_function,
    update=_update_function,
    delete=_delete_function,
    outputs=_function_outputs,
    requires=_function_needs,
    autoname="name",
    autoname_most=64,
    unique=("name",),
    tagging=Tagging(target="Resource", listing="list_tags"),
    volatile=frozenset({"lastModified", "codeSha256", "sourceCodeHash", "sourceCodeSize"}),
)


TYPES: Final = table(FUNCTION)
