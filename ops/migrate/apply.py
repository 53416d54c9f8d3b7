"""The steps of a migration, carried out: each idempotent, each noted when it is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from ops.deployed import Deployed
from ops.errors import OperatorError
from ops.migrate import backup
from ops.migrate.change_set import change
from ops.migrate.drain import OldConnections, drain
from ops.migrate.journal import Journal, JournalStore, now
from ops.migrate.legacy import STABLE, LegacyStack, functions_naming, read, shared_side
from ops.migrate.plan import STEPS, Plan
from ops.migrate.rewrite import announce, rewrite

VERIFICATIONS: Final = 3


class Screen(Protocol):
    """Where the operator follows what happens."""

    def say(self, text: str) -> None:
        """Print a line."""
        ...

    def counted(self, what: str, done: int, total: int | None) -> None:
        """Show how far a long step is."""
        ...


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One stack's migration: both sides, the journal, and how to look and to check."""

    deployed: Deployed
    stack: str
    profile: str | None
    store: JournalStore
    screen: Screen
    verified: Callable[[], bool]
    """Runs verification of the shared side, and says whether every step passed."""
    template_bucket: str | None = None
    """Where a template goes that is too large to be given inline."""

    def client(self, service: str) -> Any:
        """An AWS client of the account that both sides are in."""
        return self.deployed.client(service, profile=self.profile)

    def change(
        self,
        legacy: LegacyStack,
        template: dict[str, Any],
        *,
        step: str,
        allowed: frozenset[str],
    ) -> bool:
        """Bring the stack, as it was read, to a template; returns whether that changed it."""
        return change(
            self.client("cloudformation"),
            legacy,
            template,
            step=step,
            allowed=allowed,
            show=self.screen.say,
            upload=None if self.template_bucket is None else self._upload,
        )

    def _upload(self, body: str) -> str:
        """Put a template into the bucket, and give the URL that CloudFormation reads it from."""
        client = self.client("s3")
        key = f"{self.stack}/{hashlib.sha256(body.encode()).hexdigest()[:16]}.template"
        client.put_object(Bucket=self.template_bucket, Key=key, Body=body.encode())
        return f"{client.meta.endpoint_url}/{self.template_bucket}/{key}"

    def legacy(self) -> LegacyStack:
        """The legacy stack as it stands now."""
        return read(self.client("cloudformation"), self.stack)


def carry_out(migration: Migration, plan: Plan, folder: Path) -> None:
    """Do every step that is not done yet, in order.

    Raises OperatorError when a step's check does not hold; what was done stays noted, and the next
    run goes on from there.
    """
    journal = migration.store.read()
    if not journal.plan or journal.rolled_back:
        journal = Journal(plan=plan.digest, removals=list(plan.removals), backup=str(folder))
        migration.store.write(journal)
    for number, step in enumerate(STEPS, 1):
        if step in journal.done:
            migration.screen.say(f"{number}. {step}: done at {journal.done[step]}")
            continue
        migration.screen.say(f"{number}. {step}")
        _STEPS[step](migration, journal)
        migration.store.finish(journal, step)


def roll_back(migration: Migration) -> None:
    """Put the stack back as the backup has it. Raises OperatorError once `retire` has begun."""
    journal = migration.store.read()
    if not journal.plan or journal.rolled_back:
        raise OperatorError(f"no migration of {migration.stack} has begun: nothing to roll back")
    legacy = migration.legacy()
    gone = sorted(set(journal.removals) - set(legacy.template["Resources"]))
    if "retire" in journal.done or gone:
        raise OperatorError(
            f"{', '.join(gone) or 'the API'} has left {migration.stack}: CloudFormation would make "
            "an API with another id and URL. It would take a stack update with the backed-up "
            f"template and parameters ({journal.backup}), an import of the rows, and a release of "
            "the app with the new URL"
        )
    if "announce" in journal.done or "SharedWebSocketApiId" in legacy.template.get(
        "Parameters", {}
    ):
        changed = migration.change(
            legacy, backup.template_in(journal.backup), step="rollback", allowed=frozenset()
        )
        migration.screen.say("the stack is as it was" if changed else "the stack was unchanged")
    journal.rolled_back = now()
    migration.store.write(journal)


def _backup(migration: Migration, journal: Journal) -> None:
    legacy = migration.legacy()
    if legacy.status not in STABLE:
        raise OperatorError(
            f"{legacy.name} is {legacy.status}: bring it to a complete state first (an update that "
            "failed is continued or cancelled in CloudFormation)"
        )
    if not migration.verified():
        raise OperatorError(
            "the shared side does not pass verification: nothing was changed; mend what failed"
        )
    backup.save(
        legacy,
        migration.client("dynamodb"),
        Path(journal.backup),
        lambda rows: migration.screen.counted("rows saved", rows, None),
    )
    migration.screen.say(f"  saved to {journal.backup}")


def _publish(migration: Migration, _: Journal) -> None:
    """Both sides have to publish while clients move: events would be lost otherwise."""
    client = migration.client("lambda")
    function = migration.deployed.functions.get("order_events")
    if function is None:
        migration.screen.say("  the shared side has no order events: nothing to publish twice")
        return
    mappings = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    if not any(mapping["State"] in {"Enabled", "Enabling", "Creating"} for mapping in mappings):
        raise OperatorError(
            f"{function} reads no orders stream, so clients that move would get no orders: "
            "set ordersTable in the stack's configuration and deploy it"
        )
    migration.screen.say(f"  {function} publishes to the shared side")


def _announce(migration: Migration, _: Journal) -> None:
    legacy = migration.legacy()
    wanted = announce(legacy.template, shared_side(migration.deployed))
    if not wanted.changes:
        migration.screen.say("  announced before")
        return
    migration.change(legacy, wanted.template, step="announce", allowed=frozenset())


def _drain(migration: Migration, _: Journal) -> None:
    legacy = migration.legacy()
    table, api = legacy.table(), legacy.api_id()
    if table is None or api is None:
        migration.screen.say("  no old connections")
        return
    old = OldConnections(
        dynamodb=migration.client("dynamodb"),
        management=_management(migration, legacy, api),
        table=table,
    )
    left = drain(
        old,
        migration.deployed.url,
        progress=lambda gone, total: migration.screen.counted("clients moved", gone, total),
    )
    said = "nobody is left on the old API" if not left else f"{left} rows are older than two hours"
    migration.screen.say(f"  {said}")


def _retire(migration: Migration, journal: Journal) -> None:
    legacy = migration.legacy()
    if not legacy.retired.all:
        migration.screen.say("  retired before")
        return
    added = legacy.retired.all - set(journal.removals)
    if added:
        raise OperatorError(
            f"{', '.join(sorted(added))} came into {legacy.name} after the plan was confirmed: "
            "roll back and plan anew"
        )
    wanted = rewrite(legacy.template, shared_side(migration.deployed))
    migration.change(legacy, wanted.template, step="retire", allowed=frozenset(journal.removals))


def _confirm(migration: Migration, journal: Journal) -> None:
    legacy = migration.legacy()
    if legacy.status != "UPDATE_COMPLETE":
        raise OperatorError(f"{legacy.name} is {legacy.status}, not UPDATE_COMPLETE")
    kept = sorted(set(journal.removals) & set(legacy.template["Resources"]))
    if kept:
        raise OperatorError(f"{', '.join(kept)} is still in {legacy.name}")
    names = frozenset(_physical(journal))
    ours = frozenset(migration.deployed.functions.values())
    for leftover in functions_naming(migration.client("lambda"), names, ours):
        migration.screen.say(f"  ! {leftover}")
    # Everybody has just reconnected: the first tries may meet a busy shared side.
    if not any(migration.verified() for _ in range(VERIFICATIONS)):
        raise OperatorError("the shared side no longer passes verification: see what failed above")


def _physical(journal: Journal) -> list[str]:
    path = Path(journal.backup) / backup.STACK
    if not path.exists():
        return []
    saved = json.loads(path.read_text(encoding="utf-8"))
    kept: dict[str, str] = saved["physical"]
    return [kept[name] for name in journal.removals if name in kept and "Api" in name]


def _management(migration: Migration, legacy: LegacyStack, api: str) -> Any:
    """A client of the retired API's @connections, beside the shared one's in the same place."""
    sandbox = migration.deployed.sandbox
    if sandbox is not None:
        endpoint = f"{sandbox.endpoint}/_aws/execute-api/{api}/{legacy.stage()}"
    else:
        shared = urlsplit(migration.deployed.management_endpoint)
        host = shared.netloc.replace(migration.deployed.api_id, api)
        endpoint = f"https://{host}/{legacy.stage()}"
    return migration.deployed.client(
        "apigatewaymanagementapi", profile=migration.profile, endpoint=endpoint
    )


_STEPS: dict[str, Callable[[Migration, Journal], None]] = {
    "backup": _backup,
    "publish": _publish,
    "announce": _announce,
    "drain": _drain,
    "retire": _retire,
    "confirm": _confirm,
}
