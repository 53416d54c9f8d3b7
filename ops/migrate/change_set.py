"""One change of the stack: created, shown, checked against the plan, executed, awaited."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from ops.errors import OperatorError
from ops.migrate.legacy import LegacyStack

BODY_LIMIT: Final = 51_200
"""Bytes of a template that is given inline; a larger one has to come from S3."""
POLL_SECONDS = 1.0
_CAPABILITIES: Final = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_NOTHING: Final = ("didn't contain changes", "no updates are to be performed")


def change(
    client: Any,
    legacy: LegacyStack,
    template: dict[str, Any],
    *,
    step: str,
    allowed: frozenset[str],
    show: Callable[[str], None],
    upload: Callable[[str], str] | None = None,
) -> bool:
    """Bring the stack to `template`; returns whether there was anything to do.

    Parameters keep their values; a new one takes its default. Raises OperatorError, with nothing
    executed, when the change set would remove or replace what is not `allowed`. A template over
    BODY_LIMIT goes through `upload`, which takes its text and returns its S3 URL.
    """
    body = json.dumps(template, separators=(",", ":"), ensure_ascii=False)
    kept = [name for name in template.get("Parameters", {}) if name in legacy.parameters]
    given = _given(body, upload)
    name = f"shared-websocket-{step}-{int(time.time() * 1000)}"
    client.create_change_set(
        StackName=legacy.name,
        ChangeSetName=name,
        ChangeSetType="UPDATE",
        Capabilities=_CAPABILITIES,
        Parameters=[{"ParameterKey": key, "UsePreviousValue": True} for key in kept],
        Tags=list(legacy.tags),
        **given,
    )
    described = _described(client, legacy.name, name)
    if described["Status"] == "FAILED":
        reason = str(described.get("StatusReason", ""))
        client.delete_change_set(StackName=legacy.name, ChangeSetName=name)
        if any(phrase in reason.lower() for phrase in _NOTHING):
            return False
        raise OperatorError(f"CloudFormation refused the change set of {legacy.name}: {reason}")
    removed = _show(described, show)
    surprising = removed - allowed
    if surprising:
        client.delete_change_set(StackName=legacy.name, ChangeSetName=name)
        raise OperatorError(
            f"the change set would remove or replace {', '.join(sorted(surprising))}, which the "
            "confirmed plan does not list: nothing was executed; look at the stack's drift, and "
            "plan anew"
        )
    client.execute_change_set(StackName=legacy.name, ChangeSetName=name)
    _await_update(client, legacy.name)
    return True


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


def _await_update(client: Any, stack: str) -> None:
    while True:
        status = str(client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        if status in {"UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}:
            return
        if not status.endswith("_IN_PROGRESS"):
            events = client.describe_stack_events(StackName=stack)["StackEvents"]
            reasons = [
                f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
                for event in events
                if str(event.get("ResourceStatus", "")).endswith("_FAILED")
            ]
            raise OperatorError(
                f"the update of {stack} ended {status}: "
                f"{'; '.join(reasons[:5]) or 'no reason given'}"
            )
        time.sleep(POLL_SECONDS)
