"""How far a migration is, and who is at it: two SSM parameters that every operator sees.

A lock is a parameter that can be created only once; the journal is written by whoever holds it.
"""

from __future__ import annotations

import getpass
import json
import platform
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.errors import OperatorError, code_of, refused

PREFIX: Final = "/order-receiver/migration/"
"""Where the parameters of all migrations are."""


@dataclass(kw_only=True)
class Journal:
    """What has been done to one stack, and what the operator confirmed."""

    plan: str = ""
    """Digest of the confirmed plan."""
    shared_api: str = ""
    """Id of the shared API that the plan moves to."""
    removals: list[str] = field(default_factory=list[str])
    """The logical ids that the operator confirmed to lose."""
    names: list[str] = field(default_factory=list[str])
    """Physical ids of the API and the table that go: what nothing may name afterwards."""
    backup: str = ""
    """Folder of the backup, on the machine of whoever made it."""
    done: dict[str, str] = field(default_factory=dict[str, str])
    """Step -> ISO time at which it was finished."""
    doing: str = ""
    """The step that was begun and is not finished."""
    since: str = ""
    """ISO time at which it was begun."""
    rolled_back: str = ""
    """ISO time of a rollback; a later apply starts anew."""

    @property
    def is_underway(self) -> bool:
        """Whether a migration was begun, and neither finished nor rolled back."""
        return bool(self.plan) and not self.rolled_back and "confirm" not in self.done


class JournalStore:
    """The journal and the lock of one stack's migration in the Parameter Store."""

    def __init__(self, client: Any, stack: str) -> None:
        self._client = client
        self._stack = stack
        self._journal = f"{PREFIX}{stack}/journal"
        self._lock = f"{PREFIX}{stack}/lock"
        self._owner = ""

    def read(self) -> Journal:
        """The journal as it stands; an empty one where nothing has begun.

        Raises OperatorError where it is not one.
        """
        text = self._get(self._journal)
        try:
            return Journal() if text is None else Journal(**json.loads(text))
        except (TypeError, json.JSONDecodeError) as error:
            raise OperatorError(
                f"the parameter {self._journal} is no journal of a migration ({error}): another "
                "version wrote it, or somebody by hand"
            ) from error

    def write(self, journal: Journal) -> None:
        """Replace the journal."""
        self._put(self._journal, json.dumps(asdict(journal)), overwrite=True)

    def begin(self, journal: Journal, step: str) -> None:
        """Note that a step is begun. Raises OperatorError where the lock was taken from us."""
        self._hold()
        journal.doing, journal.since = step, now()
        self.write(journal)

    def finish(self, journal: Journal, step: str) -> None:
        """Note that a step is done. Raises OperatorError where the lock was taken from us."""
        self._hold()
        journal.doing = journal.since = ""
        journal.done[step] = now()
        self.write(journal)

    def _hold(self) -> None:
        if self._owner and self._get(self._lock) != self._owner:
            raise OperatorError(
                f"{self.holder() or 'somebody'} took the migration of {self._stack} over: this run "
                "stops here, and what it did is in the journal as far as it got"
            )

    def holder(self) -> str | None:
        """Who holds the lock and since when, or None."""
        text = self._get(self._lock)
        return None if text is None else _describe(json.loads(text))

    @contextmanager
    def locked(self, *, take_over: bool = False) -> Generator[None]:
        """Hold the lock; a kill leaves it, and `take_over` takes it from whoever left it.

        Raises OperatorError naming the holder where it is held.
        """
        who = f"{getpass.getuser()}@{platform.node()}"
        owner = json.dumps({"who": who, "since": now(), "run": uuid.uuid4().hex})
        try:
            self._put(self._lock, owner, overwrite=take_over)
        except ClientError as error:
            if code_of(error) != "ParameterAlreadyExists":
                raise refused(error) from error
            raise OperatorError(
                f"the migration of {self._stack} is held by {self.holder()}: wait for it, or, when "
                "that run was killed, go on with --take-over"
            ) from error
        self._owner = owner
        try:
            yield
        finally:
            self._owner = ""
            if self._get(self._lock) == owner:
                self._client.delete_parameter(Name=self._lock)

    def _get(self, name: str) -> str | None:
        try:
            return str(self._client.get_parameter(Name=name)["Parameter"]["Value"])
        except ClientError as error:
            if code_of(error) == "ParameterNotFound":
                return None
            raise

    def _put(self, name: str, value: str, *, overwrite: bool) -> None:
        # A journal that lists many resources is over the 4 KB of a standard parameter.
        self._client.put_parameter(
            Name=name, Value=value, Type="String", Overwrite=overwrite, Tier="Intelligent-Tiering"
        )


def now() -> str:
    """The time as the journal writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _describe(owner: dict[str, str]) -> str:
    return f"{owner.get('who', 'somebody')} since {owner.get('since', 'an unknown time')}"
