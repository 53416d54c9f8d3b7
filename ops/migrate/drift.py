"""What of a stack was changed by hand since its last deployment, as CloudFormation detects it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

PATIENCE: Final = 120
"""Seconds that a detection may take."""
POLL_SECONDS = 1.0


def drifted(client: Any, stack: str) -> Iterator[str]:
    """Sentences on every resource that is no longer as the template has it.

    A stack whose drift may not or cannot be told yields one that says so: nothing hangs on it.
    """
    try:
        status = _detected(client, stack)
    except ClientError as error:
        said = error.response.get("Error", {}).get("Message", "")
        yield f"whether the stack was changed by hand is not known: {said}"
        return
    if status["DetectionStatus"] != "DETECTION_COMPLETE":
        reason = status.get("DetectionStatusReason", "it takes too long")
        yield f"whether every resource is as deployed is not known: {reason}"
    for resource in _changed(client, stack):
        name = resource["LogicalResourceId"]
        if resource["StackResourceDriftStatus"] == "DELETED":
            yield f"{name} was deleted by hand"
            continue
        where = sorted(d["PropertyPath"] for d in resource.get("PropertyDifferences", ()))
        yield f"{name} was changed by hand ({', '.join(where)}): an update may put it back"


def _changed(client: Any, stack: str) -> Iterator[dict[str, Any]]:
    more: dict[str, str] = {}
    while True:
        page = client.describe_stack_resource_drifts(
            StackName=stack, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"], **more
        )
        yield from page["StackResourceDrifts"]
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _detected(client: Any, stack: str) -> dict[str, Any]:
    detection = client.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
    until = time.monotonic() + PATIENCE
    while True:
        status: dict[str, Any] = client.describe_stack_drift_detection_status(
            StackDriftDetectionId=detection
        )
        if status["DetectionStatus"] != "DETECTION_IN_PROGRESS" or time.monotonic() > until:
            return status
        time.sleep(POLL_SECONDS)
