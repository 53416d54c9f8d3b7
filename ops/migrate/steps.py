"""The steps of a migration, each idempotent, each with a check that has to hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ops.migrate import backup
from ops.migrate.change_set import Wanted, compact, parameters_of
from ops.migrate.drain import drain
from ops.migrate.journal import Journal
from ops.migrate.legacy import STABLE, LegacyStack, shared_side
from ops.migrate.migration import CheckError, Migration
from ops.migrate.pointing import API_PARAMETER, URL_PARAMETER
from ops.migrate.retired import table_of_stream
from ops.migrate.rewrite import announce, rewrite
from ops.migrate.survey import survey

VERIFICATIONS: Final = 3
"""Everybody has just reconnected: the first tries may meet a busy shared side."""


def _backup(migration: Migration, journal: Journal) -> None:
    legacy = migration.legacy()
    if legacy.status not in STABLE:
        raise CheckError(
            f"{legacy.name} is {legacy.status}: bring it to a complete state first (an update that "
            "failed is continued or cancelled in CloudFormation)"
        )
    if not migration.verified():
        raise CheckError(
            "the shared side does not pass verification: nothing was changed; mend what failed"
        )
    migration.screen.say("  CloudFormation works out both change sets")
    migration.rehearse(legacy, _announced(migration, legacy))
    migration.rehearse(legacy, _retired(migration, legacy, journal))
    with migration.screen.counting("rows saved") as count:
        folder, table = Path(journal.backup), migration.table(legacy)
        backup.save(legacy, migration.client("dynamodb"), table, folder, count)
    journal.names = sorted(legacy.physical_names())
    migration.screen.say(f"  saved to {journal.backup}")


def _publish(migration: Migration, _: Journal) -> None:
    """Both sides have to publish while clients move: events would be lost otherwise."""
    legacy = migration.legacy()
    retired = legacy.retired
    function = migration.deployed.functions.get("order_events")
    only_theirs = sorted(
        s for feed in retired.kept_feeds if ":dynamodb:" in (s := feed.source or "")
    )
    if not retired.feeds and only_theirs:
        tables = ", ".join(table_of_stream(source).rsplit("/", 1)[-1] for source in only_theirs)
        raise CheckError(
            f"{legacy.name} tells its clients of what changes in {tables}, and the shared side "
            "does not read that: clients that move would miss it; set ordersTable in the deployed "
            "stack's configuration and deploy it"
        )
    if function is None:
        migration.screen.say("  neither side reads orders: nothing to publish twice")
        return
    mappings = migration.client("lambda").list_event_source_mappings(FunctionName=function)
    states = {mapping["State"] for mapping in mappings["EventSourceMappings"]}
    if not states & {"Enabled", "Enabling", "Creating", "Updating"}:
        raise CheckError(
            f"{function} reads no orders stream, so clients that move would get no orders: "
            "set ordersTable in the stack's configuration and deploy it"
        )
    migration.screen.say(f"  {function} publishes to the shared side")
    for source in only_theirs:
        migration.screen.say(f"  only {legacy.name} reads {source}: who moves hears of it later")


def _announce(migration: Migration, _: Journal) -> None:
    legacy = migration.legacy()
    changed = migration.change(legacy, _announced(migration, legacy))
    if not changed:
        migration.screen.say("  announced before")
    shared = shared_side(migration.deployed)
    given = migration.legacy().parameters
    if (given.get(API_PARAMETER), given.get(URL_PARAMETER)) != (shared.api_id, shared.url):
        raise CheckError(
            f"{legacy.name} does not announce {shared.api_id} and {shared.url} after its update: "
            f"{API_PARAMETER} and {URL_PARAMETER} have other values"
        )


def _drain(migration: Migration, _: Journal) -> None:
    legacy = migration.legacy()
    if migration.leave_clients and migration.table(legacy) is None:
        migration.screen.say("  nobody is asked: there is no connections table")
        return
    old = migration.old_connections(legacy)
    if old is None:
        migration.screen.say("  no old connections")
        return
    with migration.screen.counting("clients moved") as count:
        left = drain(old, migration.deployed.url, progress=count)
    if left.staying and not migration.leave_clients:
        raise CheckError(
            f"{left.staying} clients came to the old API in the last two hours and stay there: "
            "release the app with the new URL, then go on (they are asked for two hours more); "
            "--leave-clients cuts them off"
        )
    if left.dead or left.staying:
        migration.screen.say(f"  {left.dead} rows of dead connections, {left.staying} clients left")
    else:
        migration.screen.say("  nobody is left on the old API")


def _retire(migration: Migration, journal: Journal) -> None:
    legacy = migration.legacy()
    if not legacy.removals:
        migration.screen.say("  retired before")
        return
    other = sorted(legacy.removals ^ frozenset(journal.removals))
    if other:
        raise CheckError(
            f"what goes from {legacy.name} is not what was confirmed: {', '.join(other)} came or "
            "went since; roll back and plan anew"
        )
    _nobody_is_there(migration, legacy, journal)
    if not _still_verified(migration):
        raise CheckError("the shared side no longer passes verification: nothing was retired")
    migration.change(legacy, _retired(migration, legacy, journal))


def _nobody_is_there(migration: Migration, legacy: LegacyStack, journal: Journal) -> None:
    """Between the drain and now, days may have passed."""
    if migration.leave_clients:
        return
    old = migration.old_connections(legacy)
    there = old.alive() if old is not None else set[str]()
    if there:
        journal.done.pop("drain", None)
        migration.store.write(journal)
        raise CheckError(
            f"{len(there)} clients came to the old API since it was drained: nothing was retired; "
            "go on, and they are asked to move first"
        )


def _confirm(migration: Migration, journal: Journal) -> None:
    legacy = migration.legacy()
    if legacy.status != "UPDATE_COMPLETE":
        raise CheckError(f"{legacy.name} is {legacy.status}, not UPDATE_COMPLETE")
    kept = sorted(set(journal.removals) & set(legacy.physical))
    if kept:
        raise CheckError(f"{', '.join(kept)} is still in {legacy.name}")
    with migration.screen.counting("Lambdas looked at") as count:
        found = survey(migration.client, count)
    for leftover in found.naming(journal.names):
        migration.screen.say(f"  ! {leftover}")
    if not _still_verified(migration):
        raise CheckError("the shared side no longer passes verification: see what failed above")


def _announced(migration: Migration, legacy: LegacyStack) -> Wanted:
    """The stack with the shared side announced."""
    result = announce(legacy.template, shared_side(migration.deployed), legacy=legacy.retired)
    return Wanted(
        step="announce",
        body=compact(result.template),
        parameters=parameters_of(result.template, legacy, _shared_parameters(migration)),
        allowed=frozenset(),
    )


def _retired(migration: Migration, legacy: LegacyStack, journal: Journal) -> Wanted:
    """The stack without its own API."""
    shared = shared_side(migration.deployed)
    first = announce(legacy.template, shared, legacy=legacy.retired)
    result = rewrite(
        first.template, shared, legacy=legacy.retired, legacy_names=legacy.physical_names()
    )
    return Wanted(
        step="retire",
        body=compact(result.template),
        parameters=parameters_of(result.template, legacy, _shared_parameters(migration)),
        allowed=frozenset(journal.removals),
    )


def _shared_parameters(migration: Migration) -> dict[str, str]:
    shared = shared_side(migration.deployed)
    return {API_PARAMETER: shared.api_id, URL_PARAMETER: shared.url}


def _still_verified(migration: Migration) -> bool:
    return any(migration.verified() for _ in range(VERIFICATIONS))


TAKE: Final[Mapping[str, Callable[[Migration, Journal], None]]] = {
    "backup": _backup,
    "publish": _publish,
    "announce": _announce,
    "drain": _drain,
    "retire": _retire,
    "confirm": _confirm,
}
"""Step -> what it does. Raises CheckError when its check does not hold."""
