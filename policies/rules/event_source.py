"""Event sources that end a bad batch instead of repeating it until it expires."""

from collections.abc import Iterable, Iterator
from typing import Final

from policies.kinds import EVENT_SOURCE
from policies.model import Finding
from policies.rule import ADVISORY, Outcome, Rule, Severity
from policies.rules.function_care import EVERYWHERE
from policies.stack import Stack
from policies.values import Props, Unknown, as_number, is_literally

_NAME: Final = "event-source-is-bounded"
_STREAMS: Final = (":dynamodb:", ":kinesis:")


def check_stack(stack: Stack) -> Iterable[Outcome]:
    """Warn about a stream without bisect, limits or a target for failures, and an unsplit queue."""
    if stack.settings.flag(_NAME, "everywhere"):
        sources = list(stack.of_kind(EVENT_SOURCE))
    else:
        sources = [
            source
            for function in stack.functions(_NAME)
            for source in stack.referring(EVENT_SOURCE, function, "functionName")
        ]
    for source in sources:
        for problem in _problems(source.resource.props):
            yield Finding(resource=source.resource, problem=problem)


def _problems(props: Props) -> Iterator[str]:
    if _is_stream(props):
        if _is_off(props, "bisectBatchOnFunctionError"):
            yield "bisectBatchOnFunctionError is off: one bad record blocks its batch"
        if _is_endless(props, "maximumRetryAttempts") and _is_endless(
            props, "maximumRecordAgeInSeconds"
        ):
            yield "it has no limit: a bad batch is repeated until its records expire"
        if not props.block("destinationConfig").block("onFailure"):
            yield "it has no onFailure destination: what it gives up on is lost"
    elif "eventSourceArn" in props and not _reports_items(props):
        yield "it lacks ReportBatchItemFailures: one failure repeats the whole batch"


def _is_stream(props: Props) -> bool:
    arn = props.text("eventSourceArn")
    if isinstance(arn, str):
        return any(service in arn for service in _STREAMS)
    # Only a stream is read from a position.
    return "startingPosition" in props


def _is_off(props: Props, name: str) -> bool:
    value = props.get(name)
    return value is None or is_literally(value, "false")


def _is_endless(props: Props, name: str) -> bool:
    number = as_number(props.get(name))
    return number is None or (not isinstance(number, Unknown) and number < 0)


def _reports_items(props: Props) -> bool:
    types = props.texts("functionResponseTypes")
    return any(isinstance(kind, Unknown) or kind == "ReportBatchItemFailures" for kind in types)


RULE = Rule(
    name=_NAME,
    enforcement=ADVISORY,
    severity=Severity.MEDIUM,
    stops="An event source of the shared platform repeats a bad batch without end.",
    why=(
        "One record that cannot be handled holds up its shard for a day, and with it every order's "
        "events behind it."
    ),
    fix=(
        "on a stream set bisectBatchOnFunctionError, maximumRetryAttempts and an onFailure "
        "destination; on a queue ReportBatchItemFailures."
    ),
    link="https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html",
    check_stack=check_stack,
    options={"everywhere": EVERYWHERE},
)
