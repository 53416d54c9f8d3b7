"""A migration carried out, or taken back: step by step, each noted when it is begun and done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.errors import OperatorError
from ops.migrate import backup
from ops.migrate.change_set import Wanted, parameters_of
from ops.migrate.journal import Journal, now
from ops.migrate.legacy import LegacyStack, shared_side
from ops.migrate.migration import Migration
from ops.migrate.plan import STEPS, Plan
from ops.migrate.rewrite import announce
from ops.migrate.steps import TAKE
from ops.migrate.update import await_settled


def carry_out(migration: Migration, plan: Plan | None, folder: Path) -> None:
    """Do every step that is not done yet, in order; without a plan, go on with the one confirmed.

    Raises CheckError when a step's check does not hold; what was done stays noted, and the next
    run goes on from there.
    """
    journal = migration.store.read()
    if not journal.is_underway:
        journal = _begin(plan, migration, folder)
        migration.store.write(journal)
    _is_same_move(migration, journal)
    client = migration.client("cloudformation")
    await_settled(client, migration.stack, migration.screen.say)
    for number, step in enumerate(STEPS, 1):
        if step in journal.done:
            migration.screen.say(f"{number}. {step}: done at {journal.done[step]}")
            continue
        migration.store.begin(journal, step)
        migration.screen.say(f"{number}. {step}")
        TAKE[step](migration, journal)
        migration.store.finish(journal, step)


def roll_back(migration: Migration, *, discard_changes: bool = False) -> None:
    """Put the stack back as the backup has it.

    Raises OperatorError once `retire` has begun, and where somebody else has changed the template
    since, unless `discard_changes`.
    """
    journal = migration.store.read()
    if not journal.plan or journal.rolled_back:
        raise OperatorError(f"no migration of {migration.stack} has begun: nothing to roll back")
    client = migration.client("cloudformation")
    await_settled(client, migration.stack, migration.screen.say)
    legacy = migration.legacy()
    gone = sorted(set(journal.removals) - set(legacy.physical))
    if "retire" in journal.done or gone:
        raise OperatorError(
            f"{', '.join(gone) or 'the API'} has left {migration.stack}: CloudFormation would make "
            "an API with another id and URL. It would take a stack update with the backed-up "
            f"template and parameters ({journal.backup}), an import of the rows, and a release of "
            "the app with the new URL"
        )
    if "backup" not in journal.done:
        migration.screen.say("nothing was changed yet")
    else:
        saved = backup.read(journal.backup)
        if not discard_changes:
            _is_ours(migration, legacy, saved.template)
        wanted = Wanted(
            step="rollback",
            body=saved.text,
            parameters=parameters_of(saved.template, legacy, saved.parameters),
            allowed=frozenset(),
        )
        changed = migration.change(legacy, wanted)
        migration.screen.say("the stack is as it was" if changed else "the stack was unchanged")
    journal.doing = journal.since = ""
    journal.rolled_back = now()
    migration.store.write(journal)


def _begin(plan: Plan | None, migration: Migration, folder: Path) -> Journal:
    if plan is None:
        raise OperatorError(
            f"the migration of {migration.stack} was finished or rolled back meanwhile: see "
            "migrate status"
        )
    if plan.blockers:
        raise OperatorError("CloudFormation would refuse it:\n  " + "\n  ".join(plan.blockers))
    if tuple(sorted(migration.legacy().removals)) != plan.removals:
        raise OperatorError(
            f"{migration.stack} was changed since this plan was made: nothing was done; plan anew"
        )
    began = now()
    return Journal(
        plan=plan.digest,
        shared_api=plan.shared_api,
        removals=list(plan.removals),
        # A folder of its own: a backup never takes another's place.
        backup=str(folder / began.replace(":", "")),
    )


def _is_same_move(migration: Migration, journal: Journal) -> None:
    """A migration that was begun goes on to the API that was confirmed."""
    if journal.shared_api not in {"", migration.deployed.api_id}:
        raise OperatorError(
            f"{migration.stack} is on its way to {journal.shared_api}, and these outputs are of "
            f"{migration.deployed.api_id}: give the outputs that it was begun with, or roll back"
        )


def _is_ours(migration: Migration, legacy: LegacyStack, saved: Mapping[str, Any]) -> None:
    """Whether the stack's template is one that this migration gave it."""
    shared = shared_side(migration.deployed)
    announced = announce(dict(saved), shared, legacy=legacy.retired).template
    if _same(legacy.template, saved) or _same(legacy.template, announced):
        return
    raise OperatorError(
        f"somebody deployed {legacy.name} since the backup: a rollback would undo that too. Take "
        "the shared API out of that template and deploy it, or give --discard-changes"
    )


def _same(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    """Whether two templates say the same, whatever their order of keys."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
