"""What a migration will do, step by step, and what can be undone after each."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Final

from ops.deployed import Deployed
from ops.migrate.legacy import LegacyStack, functions_naming, shared_side
from ops.migrate.pointing import Change
from ops.migrate.rewrite import announce, rewrite

STEPS: Final = ("backup", "publish", "announce", "drain", "retire", "confirm")
"""Their order. Until `retire` has begun, `migrate rollback` puts everything back."""


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """One step: what it does, its changes to the template, and what undoes it."""

    name: str
    does: str
    undo: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The whole migration of one stack."""

    stack: str
    status: str
    legacy_api: str | None
    shared_api: str
    steps: tuple[PlannedStep, ...]
    removals: tuple[str, ...]
    """Logical ids that leave the stack, sorted; nothing else may."""
    leftovers: tuple[str, ...]
    """What will still point at the legacy API when the plan has been carried out."""

    @property
    def digest(self) -> str:
        """What the operator confirmed: the stack, the shared API and the removals."""
        text = json.dumps([self.stack, self.shared_api, self.removals])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def is_done(self) -> bool:
        """Whether the stack has nothing left to migrate."""
        return not self.removals


def make(legacy: LegacyStack, deployed: Deployed, lambda_client: Any) -> Plan:
    """Compare the two sides. Reads only."""
    shared = shared_side(deployed)
    first = announce(legacy.template, shared)
    names = legacy.physical_names()
    second = rewrite(first.template, shared, legacy_names=names)
    rewritten = {
        physical
        for logical, physical in legacy.physical.items()
        if "Function" in str(legacy.template["Resources"].get(logical, {}).get("Type"))
    }
    elsewhere = functions_naming(
        lambda_client, names, frozenset(deployed.functions.values()) | rewritten
    )
    return Plan(
        stack=legacy.name,
        status=legacy.status,
        legacy_api=legacy.api_id(),
        shared_api=deployed.api_id,
        removals=tuple(sorted(legacy.retired.all)),
        leftovers=(*second.leftovers, *elsewhere),
        steps=_steps(first.changes, second.changes, legacy),
    )


def as_json(plan: Plan) -> str:
    """The plan as one JSON object."""
    return json.dumps(asdict(plan) | {"digest": plan.digest, "isDone": plan.is_done}, indent=2)


def as_text(plan: Plan) -> str:
    """The plan as a person reads it."""
    if plan.is_done:
        return f"{plan.stack} has no WebSocket API of its own any more: nothing to migrate"
    lines = [
        f"{plan.stack} ({plan.status}): from the API {plan.legacy_api} to {plan.shared_api}",
        "",
    ]
    marks = {"add": "+", "remove": "-", "rewrite": "~"}
    for number, step in enumerate(plan.steps, 1):
        lines.append(f"{number}. {step.name}: {step.does}")
        lines.extend(
            f"     {marks[change.kind]} {change.path}  ({change.what})" for change in step.changes
        )
        lines.append(f"     undo: {step.undo}")
    if plan.leftovers:
        lines += ["", "still pointing at the legacy API afterwards:"]
        lines.extend(f"  ! {leftover}" for leftover in plan.leftovers)
    lines += ["", f"plan {plan.digest}: {len(plan.removals)} resources leave the stack"]
    return "\n".join(lines)


def _steps(
    first: tuple[Change, ...], second: tuple[Change, ...], legacy: LegacyStack
) -> tuple[PlannedStep, ...]:
    back = (
        "migrate rollback deploys the backed-up template; clients that moved go on being served on "
        "the shared side until they connect anew"
    )
    return (
        PlannedStep(
            name="backup",
            does="saves the template, its parameters and tags, and every row of the old table",
            undo="nothing to undo: only files were written",
        ),
        PlannedStep(
            name="publish",
            does="checks that both sides publish: old connections go on getting their events "
            "from the old handler, new ones get theirs from the shared side",
            undo="nothing to undo: nothing was written",
        ),
        PlannedStep(
            name="announce",
            does="a change set that brings the shared API's parameters and outputs, and keeps "
            "the old table when it leaves the stack",
            undo=back,
            changes=first,
        ),
        PlannedStep(
            name="drain",
            does="asks the old API's clients, in batches and with jitter, to reconnect to the "
            "shared one, and waits until none is left (two hours at the most)",
            undo=back,
        ),
        PlannedStep(
            name="retire",
            does=f"a change set that takes {len(legacy.retired.all)} resources out of the stack "
            "and points the rest at the shared API",
            undo="not by this tool: an API that is made again gets another id and URL; the backup "
            "holds the template, the parameters and the rows to make it from",
            changes=second,
        ),
        PlannedStep(
            name="confirm",
            does="checks that the stack is UPDATE_COMPLETE, that nothing in it names what went, "
            "and verifies the shared side once more",
            undo="nothing to undo: nothing was written",
        ),
    )
