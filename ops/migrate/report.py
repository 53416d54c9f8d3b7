"""A plan, and how far a migration is, as a person and as a program read them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

from ops.migrate.journal import Journal
from ops.migrate.named import Named, line
from ops.migrate.plan import STEPS, Plan

_MARKS: Final = {"add": "+", "remove": "-", "rewrite": "~"}
_BY_NAME: Final = "found by name, not in the stack (the migration leaves it as it is):"


def plan_as_json(plan: Plan) -> str:
    """The plan as one JSON object."""
    return as_json(asdict(plan) | {"digest": plan.digest, "is_done": plan.is_done})


def plan_as_text(plan: Plan) -> str:
    """The plan as a person reads it."""
    if plan.is_done:
        lines = [f"{plan.stack} has no WebSocket API of its own: nothing to migrate"]
    else:
        table = plan.legacy_table or "no table of its own"
        lines = [
            f"{plan.stack} ({plan.status})",
            f"  from {plan.legacy_api}, with {plan.connections} connections in {table}",
            f"  to   {plan.shared_api} ({plan.shared_name})",
        ]
        for number, step in enumerate(plan.steps, 1):
            lines += ["", f"{number}. {step.name}: {step.does}"]
            lines += [
                f"     {_MARKS[change.kind]} {change.path}  ({change.what})"
                for change in step.changes
            ]
            lines.append(f"     undo: {step.undo}")
    lines += _section("to know:", plan.notes, "*")
    lines += _section("still pointing at the legacy API afterwards:", plan.leftovers, "!")
    lines += by_name(plan.found_by_name)
    lines += _section("not looked at, for want of a permission:", plan.unread, "?")
    lines += _section(
        "CloudFormation would refuse it, so apply does not begin:", plan.blockers, "x"
    )
    if not plan.is_done:
        lines += ["", f"plan {plan.digest}: {len(plan.removals)} resources leave the stack"]
    return "\n".join(lines)


def by_name(found: Iterable[Named]) -> list[str]:
    """What was found by name, each with what points at it."""
    lines: list[str] = []
    for named in found:
        lines.append(f"  ? {line(named)}")
        lines += [f"      {pointer}" for pointer in named.pointers]
    return ["", _BY_NAME, *lines] if lines else []


def absent_as_text(why: str, found: tuple[Named, ...]) -> str:
    """Why there is no plan for a stack that is not there, and what is called like it."""
    if not found:
        return f"{why}; nothing is called like it either"
    return "\n".join([f"{why}. What is called like it:", *by_name(found)[2:]])


@dataclass(frozen=True, kw_only=True)
class Status:
    """How far a migration is, who is at it, and how the stack stands."""

    stack: str
    stack_status: str
    held_by: str | None
    journal: Journal
    legacy_api: str | None = None
    connections: int = 0
    still_to_go: tuple[str, ...] = ()
    pending_change_sets: tuple[str, ...] = ()


def status_as_text(status: Status) -> str:
    """The status as a person reads it: one line a step, then what can be done now."""
    journal = status.journal
    api = f"its own API {status.legacy_api}" if status.legacy_api else "no API of its own"
    lines = [f"{status.stack} ({status.stack_status}), {api}"]
    if status.legacy_api:
        lines.append(
            f"  {status.connections} connections, {len(status.still_to_go)} resources to go"
        )
    if not journal.plan:
        return "\n".join([*lines, "no migration has begun"])
    for number, step in enumerate(STEPS, 1):
        done = f"done at {journal.done[step]}" if step in journal.done else "to do"
        if step == journal.doing:
            done = f"begun at {journal.since}, not finished"
        lines.append(f"  {number}. {step:<9} {done}")
    lines += [f"  change set {name} is there, not executed" for name in status.pending_change_sets]
    lines.append(f"held by {status.held_by}" if status.held_by else "nobody is at it")
    return "\n".join([*lines, f"next: {_next(status)}"])


def _next(status: Status) -> str:
    journal = status.journal
    if journal.rolled_back:
        return f"nothing: it was rolled back at {journal.rolled_back}; migrate apply begins anew"
    if "confirm" in journal.done:
        return "nothing: it is done"
    back = "" if "drain" in journal.done and not status.still_to_go else ", or migrate rollback"
    return f"migrate apply goes on{back}"


def as_json(document: Mapping[str, Any]) -> str:
    """A document with its keys as JSON has them: `legacyApi`."""
    return json.dumps(_camel(document), indent=2)


def _camel(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_camel(item) for item in cast("Iterable[Any]", value)]
    if not isinstance(value, dict):
        return value
    items = cast("dict[str, Any]", value).items()
    return {_camel_key(key): _camel(item) for key, item in items}


def _camel_key(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _section(title: str, lines: Iterable[str], mark: str) -> list[str]:
    shown = [f"  {mark} {line}" for line in lines]
    return ["", title, *shown] if shown else []
