"""What a migration will do, step by step, and what can be undone after each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.deployed import Deployed
from ops.errors import OperatorError, code_of
from ops.migrate import named
from ops.migrate.drift import drifted
from ops.migrate.elsewhere import indirect, spelled
from ops.migrate.legacy import LegacyStack, shared_side
from ops.migrate.pointing import Change
from ops.migrate.retired import Feed, properties_of
from ops.migrate.rewrite import announce, rewrite
from ops.migrate.survey import Clients, Survey, survey

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
    legacy_table: str | None
    connections: int
    """Rows in the legacy table."""
    shared_api: str
    shared_name: str
    steps: tuple[PlannedStep, ...]
    removals: tuple[str, ...]
    """Logical ids that leave the stack, sorted; nothing else may."""
    blockers: tuple[str, ...]
    """What CloudFormation would refuse: `apply` does not begin."""
    notes: tuple[str, ...]
    """What the operator should know of and the migration leaves as it is."""
    leftovers: tuple[str, ...]
    """What will still point at the legacy API when the plan has been carried out."""
    found_by_name: tuple[named.Named, ...]
    """What is called like the legacy app's, outside its stack; never touched."""
    unread: tuple[str, ...]
    """Where this operator may not look."""

    @property
    def digest(self) -> str:
        """What the operator confirmed: the stack, the shared API and the removals."""
        text = json.dumps([self.stack, self.shared_api, self.removals])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def is_done(self) -> bool:
        """Whether the stack has nothing left to migrate."""
        return not self.removals


def make(
    legacy: LegacyStack,
    deployed: Deployed,
    clients: Clients,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> Plan:
    """Compare the two sides. Reads only; `progress` gets how many Lambdas were read of how many."""
    shared = shared_side(deployed)
    shared_name = _shared_name(clients, deployed)
    first = announce(legacy.template, shared, legacy=legacy.retired)
    names = legacy.physical_names()
    second = rewrite(first.template, shared, legacy=legacy.retired, legacy_names=names)
    found = survey(clients, progress)
    by_name, unread = _by_name(clients, legacy, deployed, found)
    pointed_to = names | {one.id for one in by_name if one.kind == "WebSocket API"}
    table = legacy.table()
    return Plan(
        stack=legacy.name,
        status=legacy.status,
        legacy_api=legacy.api_id(),
        legacy_table=table,
        connections=0 if table is None else named.count_rows(clients("dynamodb"), table),
        shared_api=deployed.api_id,
        shared_name=shared_name,
        removals=tuple(sorted(legacy.removals)),
        blockers=tuple(_importers(clients("cloudformation"), legacy, first.template)),
        notes=(
            *(_kept(feed) for feed in sorted(legacy.retired.kept_feeds, key=_by_id)),
            *_unserved(clients("apigatewayv2"), legacy, deployed),
            *_nested(legacy),
            *drifted(clients("cloudformation"), legacy.name),
        ),
        leftovers=(
            *second.leftovers,
            *indirect(second.template, {**legacy.parameters, **legacy.resolved}, found, pointed_to),
            *found.naming(names, but=_rewritten(legacy, second.changes)),
        ),
        found_by_name=by_name,
        unread=(*found.unread, *unread),
        steps=_steps(first.changes, second.changes, legacy),
    )


def absent(clients: Clients, stack: str, deployed: Deployed) -> tuple[named.Named, ...]:
    """What carries the names of a stack that is not there."""
    begin = named.stems(stack, deployed.stage, ())
    found = survey(clients, lambda _, __: None)
    return named.find(clients, begin, _ours(deployed), found)[0]


def _shared_name(clients: Clients, deployed: Deployed) -> str:
    """The shared API's name; the tables are looked at too, so that a wrong account is noticed."""
    try:
        api = clients("apigatewayv2").get_api(ApiId=deployed.api_id)
        for table in (deployed.connections_table, deployed.subscriptions_table):
            clients("dynamodb").describe_table(TableName=table)
    except ClientError as error:
        if code_of(error) not in {"NotFoundException", "ResourceNotFoundException"}:
            raise
        said = error.response.get("Error", {}).get("Message", "")
        raise OperatorError(
            f"the shared side that the outputs name is not in {deployed.place} "
            f"({error.operation_name}: {said}): the outputs may be old or another stage's; --stack "
            "or --outputs names others"
        ) from error
    return str(api["Name"])


def _by_name(
    clients: Clients, legacy: LegacyStack, deployed: Deployed, found: Survey
) -> tuple[tuple[named.Named, ...], list[str]]:
    called = [name for logical, name in legacy.physical.items() if logical in legacy.removals]
    called += [
        spelled(properties_of(legacy.template["Resources"][api]).get("Name"), legacy.parameters)
        for api in legacy.retired.apis
    ]
    begin = named.stems(legacy.name, deployed.stage, called)
    known = frozenset(legacy.physical.values()) | _ours(deployed)
    return named.find(clients, begin, known, found)


def _ours(deployed: Deployed) -> frozenset[str]:
    tables = {deployed.connections_table, deployed.subscriptions_table}
    return frozenset({deployed.api_id, *tables, *deployed.functions.values()})


def _rewritten(legacy: LegacyStack, changes: tuple[Change, ...]) -> frozenset[str]:
    """Physical ids of what the template's change corrects: no leftover, whatever it names today."""
    everywhere = any(change.path.startswith("Globals.") for change in changes)
    corrected = {
        change.path.split(".")[1]
        for change in changes
        if change.path.startswith("Resources.") and ".Environment." in change.path
    }
    return frozenset(
        physical
        for logical, physical in legacy.physical.items()
        if legacy.types[logical] != "AWS::Lambda::Function" or everywhere or logical in corrected
    ) | {legacy.name}


def _importers(client: Any, legacy: LegacyStack, announced: Mapping[str, Any]) -> Iterator[str]:
    """Exports that `announce` would change, and that another stack uses."""
    before, after = (t.get("Outputs", {}) for t in (legacy.template, announced))
    for output, export in legacy.exports.items():
        if before.get(output) == after.get(output):
            continue
        try:
            stacks = client.list_imports(ExportName=export)["Imports"]
        except ClientError as error:
            if code_of(error) == "ValidationError":
                continue  # nobody imports it
            raise
        yield (
            f"the stack {', '.join(stacks)} imports {export}, which names the legacy API: "
            "CloudFormation changes no export that is in use; take the import out first"
        )


def _kept(feed: Feed) -> str:
    reads = feed.source or f"its {feed.kind} event {feed.event}"
    return (
        f"{feed.function} goes on reading {reads}, which the shared side does not read: after "
        "`retire` it tells of it through the shared API"
    )


def _unserved(client: Any, legacy: LegacyStack, deployed: Deployed) -> Iterator[str]:
    """Routes of the legacy API that the shared one does not have."""
    pages = client.get_paginator("get_routes").paginate(ApiId=deployed.api_id)
    served = {route["RouteKey"] for page in pages for route in page["Items"]}
    for name in sorted(legacy.retired.parts):
        key = properties_of(legacy.template["Resources"][name]).get("RouteKey")
        if isinstance(key, str) and key not in served:
            yield (
                f"the route {key} is not on the shared API: what clients send there goes to its "
                "$default"
            )


def _nested(legacy: LegacyStack) -> Iterator[str]:
    for logical, kind in sorted(legacy.types.items()):
        if kind == "AWS::CloudFormation::Stack":
            name = legacy.physical[logical].rpartition("stack/")[-1].split("/")[0]
            yield f"{logical} is a stack of its own: plan it with --legacy-stack {name}"


def _by_id(feed: Feed) -> str:
    return feed.logical_id


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
            does="verifies the shared side and has CloudFormation work out both change sets, then "
            "saves the template, its parameters and tags, and every row of the old table",
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
            does=f"a change set that takes {len(legacy.removals)} resources out of the stack "
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
