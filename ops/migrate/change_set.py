"""One change of the stack: created, shown, checked against the plan, executed, awaited."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

from ops.errors import OperatorError
from ops.migrate.legacy import LegacyStack
from ops.migrate.screen import Count
from ops.migrate.update import stack_now, updates

BODY_LIMIT: Final = 51_200
"""Bytes of a template that is given inline; a larger one has to come from S3."""
POLL_SECONDS = 2.0
PREFIX: Final = "shared-websocket-"
"""How our change sets are called, so that one that a kill left behind is known."""
_CAPABILITIES: Final = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_NOTHING: Final = ("didn't contain changes", "no updates are to be performed")


def _uncounted(done: int, total: int | None) -> None:
    """Show nobody how far an update is."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a stack is brought to, and what it may lose by that."""

    step: str
    body: str
    """The template's text."""
    parameters: tuple[Mapping[str, str | bool], ...]
    allowed: frozenset[str]
    """Logical ids that may go or be replaced."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a change set is made: with whose client, said to whom, its template put where."""

    client: Any
    show: Callable[[str], None]
    upload: Callable[[str], str] | None = None
    """Takes a template over BODY_LIMIT, and gives its S3 URL."""
    counting: Callable[[], AbstractContextManager[Count]] = lambda: nullcontext(_uncounted)
    """Shows how many resources are done of how many, while the update runs."""


def parameters_of(
    template: Mapping[str, Any], legacy: LegacyStack, values: Mapping[str, str]
) -> tuple[Mapping[str, str | bool], ...]:
    """A template's parameters: those in `values` given, the others kept, new ones by default."""
    given: list[Mapping[str, str | bool]] = []
    for name in template.get("Parameters", {}):
        if name in values and values[name] != legacy.parameters.get(name):
            given.append({"ParameterKey": name, "ParameterValue": values[name]})
        elif name in legacy.parameters:
            given.append({"ParameterKey": name, "UsePreviousValue": True})
    return tuple(given)


def compact(template: Mapping[str, Any]) -> str:
    """A template as the shortest JSON."""
    return json.dumps(template, separators=(",", ":"), ensure_ascii=False)


def change(way: Way, legacy: LegacyStack, wanted: Wanted) -> bool:
    """Bring the stack to what is wanted; returns whether there was anything to do.

    Raises OperatorError, with nothing executed, when CloudFormation refuses the change set, or when
    it would remove or replace what is not allowed; and when the update ends badly.
    """
    worked_out = _worked_out(way, legacy, wanted)
    if worked_out is None:
        return False
    name, changed = worked_out
    stack = stack_now(way.client, legacy.name)
    with way.counting() as count:
        way.client.execute_change_set(StackName=legacy.name, ChangeSetName=name)
        for done in updates(way.client, legacy.name, stack.get("LastUpdatedTime")):
            count(len(done & changed), len(changed))
        count(len(changed), len(changed))
    return True


def rehearse(way: Way, legacy: LegacyStack, wanted: Wanted) -> None:
    """Have CloudFormation work the change out, and leave the stack as it is.

    Raises OperatorError as `change` does before it executes.
    """
    worked_out = _worked_out(way, legacy, wanted)
    if worked_out is not None:
        way.client.delete_change_set(StackName=legacy.name, ChangeSetName=worked_out[0])


def pending(client: Any, stack: str) -> tuple[str, ...]:
    """Names of our change sets that were made and not executed."""
    pages = client.get_paginator("list_change_sets").paginate(StackName=stack)
    return tuple(
        summary["ChangeSetName"]
        for page in pages
        for summary in page["Summaries"]
        if summary["ChangeSetName"].startswith(PREFIX)
        and not summary.get("ExecutionStatus", "").startswith("EXECUTE_")
    )


def _worked_out(way: Way, legacy: LegacyStack, wanted: Wanted) -> tuple[str, set[str]] | None:
    """Create and check a change set: its name and which resources it changes; None if empty."""
    given = _given(wanted.body, way.upload)
    for left_behind in pending(way.client, legacy.name):
        way.client.delete_change_set(StackName=legacy.name, ChangeSetName=left_behind)
    name = f"{PREFIX}{wanted.step}-{int(time.time() * 1000)}"
    way.client.create_change_set(
        StackName=legacy.name,
        ChangeSetName=name,
        ChangeSetType="UPDATE",
        Capabilities=_CAPABILITIES,
        Parameters=list(wanted.parameters),
        Tags=list(legacy.tags),
        **given,
    )
    described = _described(way.client, legacy.name, name)
    if described["Status"] == "FAILED":
        reason = str(described.get("StatusReason", ""))
        way.client.delete_change_set(StackName=legacy.name, ChangeSetName=name)
        if any(phrase in reason.lower() for phrase in _NOTHING):
            return None
        raise OperatorError(
            f"CloudFormation refused the change set for {wanted.step} of {legacy.name}: {reason}"
        )
    surprising = _show(described, way.show) - wanted.allowed
    if surprising:
        way.client.delete_change_set(StackName=legacy.name, ChangeSetName=name)
        raise OperatorError(
            f"the change set for {wanted.step} would remove or replace "
            f"{', '.join(sorted(surprising))}, which the confirmed plan does not list: nothing was "
            "executed; look at the stack's drift, and plan anew"
        )
    return name, {item["ResourceChange"]["LogicalResourceId"] for item in described["Changes"]}


def _given(body: str, upload: Callable[[str], str] | None) -> dict[str, str]:
    """The template as CloudFormation takes it: inline, or by its URL."""
    size = len(body.encode())
    if size <= BODY_LIMIT:
        return {"TemplateBody": body}
    if upload is None:
        raise OperatorError(
            f"the template has {size} bytes, over the {BODY_LIMIT} that CloudFormation takes "
            "inline: name a bucket for it with --template-bucket"
        )
    return {"TemplateURL": upload(body)}


def _described(client: Any, stack: str, name: str) -> dict[str, Any]:
    """The change set once CloudFormation has worked it out, all pages of its changes."""
    while True:
        described: dict[str, Any] = client.describe_change_set(StackName=stack, ChangeSetName=name)
        if described["Status"] in {"CREATE_COMPLETE", "FAILED"}:
            break
        time.sleep(POLL_SECONDS)
    changes = list(described.get("Changes", ()))
    token = described.get("NextToken")
    while token:
        page = client.describe_change_set(StackName=stack, ChangeSetName=name, NextToken=token)
        changes += page.get("Changes", ())
        token = page.get("NextToken")
    return described | {"Changes": changes}


def _show(described: Mapping[str, Any], show: Callable[[str], None]) -> set[str]:
    """Print every change; the logical ids that go or are replaced."""
    lost: set[str] = set()
    for item in described["Changes"]:
        resource = item["ResourceChange"]
        action = str(resource["Action"])
        replaced = _is_replaced(resource)
        if action == "Remove" or (action == "Modify" and replaced):
            lost.add(str(resource["LogicalResourceId"]))
        note = " (replaced)" if replaced else ""
        show(f"  {action:<7} {resource['LogicalResourceId']}  {resource['ResourceType']}{note}")
    return lost


def _is_replaced(resource: Mapping[str, Any]) -> bool:
    """Whether a change replaces the resource for certain.

    `Conditional` with only dynamic evaluations is CloudFormation's word for "a resource that this
    one refers to is modified in place": its value, and so this resource, stays.
    """
    replacement = resource.get("Replacement")
    if replacement != "Conditional":
        return replacement == "True"
    return any(detail.get("Evaluation") == "Static" for detail in resource.get("Details", ()))
