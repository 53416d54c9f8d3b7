"""What a function on the shared platform leaves behind: its logs, and the events that it failed."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from policies.kinds import (
    EVENT_RULE,
    EVENT_SOURCE,
    EVENT_TARGET,
    INVOKE_CONFIG,
    LOG_GROUP,
    PERMISSION,
)
from policies.model import Deferred, Finding, Registered
from policies.rule import ADVISORY, Outcome, Rule, Severity
from policies.stack import Stack, names_of
from policies.values import UNKNOWN, Props, Unknown, as_number, is_literally

EVERYWHERE: Final[dict[str, Any]] = {
    "type": "boolean",
    "default": False,
    "description": "Look at every function, not only at those that work with the shared platform.",
}
_LOGS: Final = "function-keeps-its-logs"
_DEAD_LETTERS: Final = "function-has-dead-letter-target"
_GROUP_NAMES: Final = ("name", "logGroupName")
_SYNCHRONOUS: Final = ("apigateway.amazonaws.com", "elasticloadbalancing.amazonaws.com")


def check_logs(stack: Stack) -> Iterable[Outcome]:
    """Warn about a function whose log group keeps everything for ever, or is not in the stack."""
    for function in stack.functions(_LOGS):
        groups = list(_log_groups(function, stack))
        if any(_keeps_for_a_while(group.resource.props) for group in groups):
            continue
        if groups:
            named = groups[0].resource.name
            problem = f"its log group {named} has no retention, so that it keeps logs for ever"
            yield Finding(resource=function.resource, problem=problem)
        elif _may_be_named_later(function, stack):
            reason = "the name of its log group is not known yet"
            yield Deferred(resource=function.resource, reason=reason)
        else:
            problem = "no log group of this stack with a retention is its own"
            yield Finding(resource=function.resource, problem=problem)


def _log_groups(function: Registered, stack: Stack) -> Iterator[Registered]:
    urn = function.resource.urn
    named = function.resource.props.block("loggingConfig").text("logGroup")
    wanted = {f"/aws/lambda/{name}" for name in names_of(function)}
    if isinstance(named, str):
        wanted = {named}
    hangs_on = {
        *function.property_dependencies.get("loggingConfig", ()),
        *function.dependencies,
    }
    for group in stack.of_kind(LOG_GROUP):
        texts = [group.resource.props.text(each) for each in _GROUP_NAMES]
        if (
            any(text in wanted for text in texts)
            or group.resource.urn in hangs_on
            or any(urn in group.property_dependencies.get(each, ()) for each in _GROUP_NAMES)
        ):
            yield group


def _keeps_for_a_while(group: Props) -> bool:
    days = as_number(group.get("retentionInDays"))
    return isinstance(days, Unknown) or (days is not None and days > 0)


def _may_be_named_later(function: Registered, stack: Stack) -> bool:
    if function.resource.props.block("loggingConfig").text("logGroup") is UNKNOWN:
        return True
    names = (group.resource.props.text("name") for group in stack.of_kind(LOG_GROUP))
    return any(name is UNKNOWN for name in names) and not names_of(function)


def check_dead_letters(stack: Stack) -> Iterable[Outcome]:
    """Warn about a function that is invoked without waiting and whose failed events are dropped."""
    for function in stack.functions(_DEAD_LETTERS):
        if not _is_invoked_without_waiting(function, stack):
            continue
        if not _keeps_failed_events(function, stack):
            problem = "events that it fails on are dropped"
            yield Finding(resource=function.resource, problem=problem)


def _is_invoked_without_waiting(function: Registered, stack: Stack) -> bool:
    targets = list(stack.referring(EVENT_TARGET, function, "arn"))
    if not all(_repeats(target, "rule", stack) for target in targets):
        return True
    permissions = list(stack.referring(PERMISSION, function, "function", "functionName"))
    for permission in permissions:
        waits = is_literally(permission.resource.props.get("principal"), *_SYNCHRONOUS)
        if not waits and not _repeats(permission, "sourceArn", stack):
            return True
    if targets or permissions:
        return False
    return not any(stack.referring(EVENT_SOURCE, function, "functionName"))


def _repeats(entry: Registered, name: str, stack: Stack) -> bool:
    # What a schedule misses, its next run makes good.
    rules = stack.referred(EVENT_RULE, entry, name)
    return any("scheduleExpression" in rule.resource.props for rule in rules)


def _keeps_failed_events(function: Registered, stack: Stack) -> bool:
    dead_letters = function.resource.props.block("deadLetterConfig")
    if "targetArn" in dead_letters:
        return True
    for config in stack.referring(INVOKE_CONFIG, function, "functionName"):
        if config.resource.props.block("destinationConfig").block("onFailure"):
            return True
    targets = list(stack.referring(EVENT_TARGET, function, "arn"))
    return bool(targets) and all(
        target.resource.props.block("deadLetterConfig") for target in targets
    )


LOGS = Rule(
    name=_LOGS,
    enforcement=ADVISORY,
    severity=Severity.LOW,
    stops="A function of the shared platform keeps its logs for ever.",
    why=(
        "Logs hold ids of connections and users; without a retention they are kept, and paid for, "
        "until someone remembers."
    ),
    fix="create its log group with retentionInDays and name it in the function's loggingConfig.",
    link="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
    check_stack=check_logs,
    options={"everywhere": EVERYWHERE},
)

DEAD_LETTERS = Rule(
    name=_DEAD_LETTERS,
    enforcement=ADVISORY,
    severity=Severity.MEDIUM,
    stops="A function of the shared platform drops the events that it fails on.",
    why="Lambda tries an event three times and then forgets it, without a word to anyone.",
    fix="give it a deadLetterConfig or an onFailure destination, or its schedule's target one.",
    link="https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
    check_stack=check_dead_letters,
    options={"everywhere": EVERYWHERE},
)
