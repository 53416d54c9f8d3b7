"""Does one step at a time: asks the provider, records it before and after, and tells about it."""

import functools
import re
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

from sandbox.engine import values
from sandbox.engine.assets import AssetError
from sandbox.engine.checkpoint import Journal, Resource, now
from sandbox.engine.goals import PROVIDER_PREFIX, STACK_TYPE
from sandbox.engine.providers import Diff, NoProviderError, PartialError, ProviderError
from sandbox.engine.registry import Manager, Registry, split_reference
from sandbox.engine.report import Reporter
from sandbox.stack import EngineError, Op, Step

PROTECTED = (
    "because it is protected. To unprotect it, remove the `protect` option from the resource in "
    "the program and deploy that first"
)
_NO_DIFF = Diff(changes=False)


class StoppedError(Exception):
    """The operation ends here: something failed, which has been reported, or it was cancelled."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How an operation runs."""

    preview: bool
    parallel: int = 16
    targets: tuple[str, ...] = ()

    def includes(self, resource: Resource) -> bool:
        """Whether the operation may touch a resource; the stack and providers are always in."""
        implicit = resource.resource_type.startswith((PROVIDER_PREFIX, STACK_TYPE))
        named = any(_glob(pattern).fullmatch(resource.urn) for pattern in self.targets)
        return not self.targets or implicit or named


class Steps:
    """The steps of one operation, and what exists because of them. Methods run in any thread."""

    def __init__(
        self,
        before: Iterable[Resource],
        journal: Journal,
        registry: Registry,
        reporter: Reporter,
        options: Options,
    ) -> None:
        self.options = options
        self.failed = False
        self.journal = journal
        self.registry = registry
        self.report = reporter
        self.lock = threading.Lock()
        self.news: dict[str, Resource] = {}
        self.olds = {resource.urn: resource for resource in before if not resource.delete}
        # URNs whose deletion is planned or done: what goes with one of them is left to it.
        self.doomed: set[str] = set()
        self._before = tuple(before)
        self._slots = threading.BoundedSemaphore(options.parallel)
        self._cancelled = threading.Event()

    # -- the course of things -----------------------------------------------------------------

    def cancel(self) -> None:
        """Begin no more steps; those under way are finished."""
        self._cancelled.set()

    def stop_if_cancelled(self) -> None:
        """Raise `StoppedError` once the operation is to end."""
        if self._cancelled.is_set():
            raise StoppedError("the operation was cancelled")

    def fail(self, urn: str, message: str) -> None:
        """Report what went wrong with a resource; the operation will not have succeeded."""
        self.failed = True
        self.report.message("error", message, urn)

    @contextmanager
    def failing(self, urn: str) -> Generator[None]:
        """Report what goes wrong once, where it did, and end the operation."""
        try:
            yield
        except (ProviderError, NotImplementedError, AssetError, NoProviderError, EngineError) as e:
            self.fail(urn, str(e))
            self.cancel()
            raise StoppedError(str(e)) from e
        except StoppedError:
            self.failed = True
            self.cancel()
            raise

    def call(self, method: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        """Ask a provider for something that takes time, with no more than so many at once."""
        with self._slots:
            self.stop_if_cancelled()
            return method(*arguments, **keywords)

    @contextmanager
    def step(
        self, op: Op, new: Resource, old: Resource | None, diff: Diff = _NO_DIFF
    ) -> Generator[Callable[[Resource], None]]:
        """Tell that a step begins and how it ended; what is yielded takes the resulting state."""
        self.stop_if_cancelled()
        self.report.started(op, new)
        began, failed, result = monotonic(), True, new

        def resulted(resource: Resource) -> None:
            nonlocal result
            result = resource

        try:
            yield resulted
            failed = False
        finally:
            told = Step(
                op=op,
                urn=new.urn,
                type=new.resource_type,
                changed=diff.changed if diff.changes else (),
                replacing=diff.replaces,
                failed=failed,
                duration=monotonic() - began,
            )
            self.report.step(told, old, result)

    # -- what exists --------------------------------------------------------------------------

    def known(self, urn: str) -> Resource | None:
        """Return a resource as this operation left it, else as it was before."""
        with self.lock:
            return self.news.get(urn) or self.olds.get(urn)

    def settle(
        self,
        new: Resource,
        *,
        began: Resource | None = None,
        drop: Resource | None = None,
        swap: dict[Resource, Resource] | None = None,
        write: bool = True,
    ) -> Resource:
        """Record what a resource is from now on."""
        with self.lock:
            self.news[new.urn] = new
        gone = [drop] if drop is not None else []
        self.journal.finish(began, add=[new], drop=gone, swap=swap, write=write)
        return new

    def manager_of(self, resource: Resource) -> Manager:
        """Return the provider that the state says manages a resource."""
        if resource.resource_type.startswith(PROVIDER_PREFIX):
            return self.registry
        if provider := self.registry.get(resource.provider):
            return provider
        urn, identity = split_reference(resource.provider)
        # A provider that was replaced is in the state twice; the id says which one is meant.
        for state in (*self._before, *self.news.values()):
            if state.urn == urn and state.id == identity:
                return self.registry.ensure(state)
        raise ProviderError(f"unknown provider {resource.provider!r} of {resource.urn}")

    # -- the steps ----------------------------------------------------------------------------

    def same(self, old: Resource, new: Resource, manager: Manager | None) -> Resource:
        """Leave a resource as it is; the state may still learn of other options."""
        with self.step(Op.SAME, new, old):
            if isinstance(manager, Registry):
                manager.ensure(new.copy(id=old.id, inputs=old.inputs))
            return self.keep(old, new)

    def keep(self, old: Resource, new: Resource) -> Resource:
        """Record a resource whose properties stay, without a step of its own."""
        kept = new.copy(id=old.id, outputs=old.outputs, created=old.created, modified=old.modified)
        return self.settle(kept, drop=old, write=old.to_json() != kept.to_json())

    def create(self, new: Resource, manager: Manager | None) -> Resource:
        """Create a resource."""
        with self.step(Op.CREATE, new, None) as resulted:
            created = self._create(new, manager, resulted)
            return self.settle(created, began=new)

    def create_replacement(
        self, old: Resource, new: Resource, manager: Manager | None, diff: Diff, *, old_stays: bool
    ) -> Resource:
        """Create what replaces a resource; the old one may stay until the end of the operation."""
        with self.step(Op.CREATE_REPLACEMENT, new, old, diff) as resulted:
            created = self._create(new, manager, resulted)
            if old_stays:
                return self.settle(created, began=new, swap={old: old.copy(delete=True)})
            return self.settle(created, began=new, drop=old)

    def replace(self, old: Resource, new: Resource, diff: Diff) -> None:
        """Tell that one resource replaces another; creating and deleting are steps of their own."""
        with self.step(Op.REPLACE, new, old, diff):
            pass

    def _create(
        self, new: Resource, manager: Manager | None, resulted: Callable[[Resource], None]
    ) -> Resource:
        born = new.copy(created=now(), modified=now())
        if manager is None:
            return born
        if not isinstance(manager, Registry):
            self.journal.begin("creating", new)
        try:
            identity, outputs = self.call(manager.create, new, preview=self.options.preview)
        except ProviderError as error:
            self._failed(new, born, None, error)
            raise
        created = born.copy(id=identity, outputs=with_secrets(new, outputs))
        resulted(created)
        return created

    def update(self, old: Resource, new: Resource, manager: Manager | None, diff: Diff) -> Resource:
        """Update a resource in place."""
        new = new.copy(id=old.id, outputs=old.outputs, created=old.created, modified=now())
        with self.step(Op.UPDATE, new, old, diff) as resulted:
            if manager is not None:
                if not isinstance(manager, Registry):
                    self.journal.begin("updating", old)
                try:
                    outputs = self.call(manager.update, old, new, preview=self.options.preview)
                except ProviderError as error:
                    self._failed(old, new, old, error)
                    raise
                new = new.copy(outputs=with_secrets(new, outputs))
            resulted(new)
            return self.settle(new, began=old, drop=old)

    def _failed(
        self, began: Resource, new: Resource, drop: Resource | None, error: ProviderError
    ) -> None:
        """Record a failure: nothing changed, or a part did; of a provider that is gone, neither."""
        if isinstance(error, PartialError):
            partial = {"id": error.id, "outputs": error.outputs, "init_errors": error.reasons}
            self.settle(new.copy(**partial), began=began, drop=drop)
        elif not error.gone:
            self.journal.finish(began)

    def read(self, old: Resource | None, new: Resource, manager: Manager) -> Resource:
        """Read a resource that is managed elsewhere; one of ours of that name is let go of."""
        relinquished = old is not None and not old.external and old.id != new.id
        with self.step(Op.READ_REPLACEMENT if relinquished else Op.READ, new, old):
            identity, inputs, outputs = self.call(manager.read, new, new.id)
            if not identity:
                raise ProviderError(f"resource {new.id!r} does not exist")
            found = new.copy(
                id=identity, inputs=inputs or new.inputs, outputs=with_secrets(new, outputs)
            )
            if relinquished and old is not None:
                self.settle(found, swap={old: old.copy(delete=True)})
            else:
                changed = old is None or old.copy(modified="").to_json() != found.to_json()
                found = found.copy(modified=now())
                self.settle(found, drop=old, write=changed)
        if relinquished and old is not None:
            self.replace(old, found, _NO_DIFF)
        return found

    def take_over(
        self, old: Resource | None, new: Resource, manager: Manager, identity: str
    ) -> Resource:
        """Import a resource that exists as it is."""
        op = Op.IMPORT if old is None else Op.IMPORT_REPLACEMENT
        with self.step(op, new, old):
            found, inputs, outputs = self.call(manager.read, new, identity)
            if not found:
                raise ProviderError(f"resource {identity!r} does not exist")
            taken = new.copy(
                id=found,
                inputs=inputs,
                outputs=with_secrets(new, outputs),
                created=now(),
                modified=now(),
            )
            ours = old is not None and not old.external
            swap = {old: old.copy(delete=True)} if old is not None and ours else None
            self.settle(taken, drop=None if ours else old, swap=swap)
        if old is not None:
            self.replace(old, taken, _NO_DIFF)
        return taken

    def delete_for_replacement(self, old: Resource) -> Resource:
        """Delete a resource whose replacement comes later; the state remembers that it is due."""
        with self.step(Op.DELETE_REPLACED, old, old):
            if not old.pending_replacement:
                self._delete(old)
            waiting = old.copy(pending_replacement=True)
            self.journal.finish(old, swap={old: waiting})
        with self.lock:
            self.olds[old.urn] = waiting
            self.doomed.add(old.urn)
        return waiting

    def delete(self, old: Resource) -> bool:
        """Delete a resource that is not wanted any more; return whether it is gone.

        A failure does not end the operation by itself: others are being deleted at the same time.
        """
        try:
            with self.step(_delete_op(old), old, old):
                if old.protect and not old.delete:
                    raise ProviderError(f'resource "{old.urn}" cannot be deleted\n{PROTECTED}')
                if not old.pending_replacement:
                    self._delete(old)
                self.journal.finish(old, drop=[old])
        except (ProviderError, NoProviderError, EngineError) as error:
            self.fail(old.urn, str(error))
            return False
        return True

    def _delete(self, old: Resource) -> None:
        left_alone = old.external or old.retain_on_delete or old.deleted_with in self.doomed
        if self.options.preview or not old.custom or left_alone:
            return
        manager = self.manager_of(old)
        if isinstance(manager, Registry):
            return
        self.journal.begin("deleting", old)
        try:
            self.call(manager.delete, old)
        except ProviderError as error:
            if not error.gone:
                self.journal.finish(old)
            raise


def with_secrets(resource: Resource, outputs: values.Properties) -> values.Properties:
    """Mark the outputs that a resource's options call secret."""
    names = set(resource.additional_secret_outputs)
    return {k: values.secret(v) if k in names else v for k, v in outputs.items()}


@functools.cache
def _glob(pattern: str) -> re.Pattern[str]:
    """Compile a target: `*` stands for anything within a part of a URN, `**` for anything."""
    parts = re.split(r"(\*\*|\*)", pattern)
    known = {"**": ".*", "*": "[^:]*"}
    return re.compile("".join(known.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _delete_op(old: Resource) -> Op:
    if old.pending_replacement:
        return Op.REMOVE_PENDING_REPLACE
    if old.external:
        return Op.DISCARD_REPLACED if old.delete else Op.DISCARD
    return Op.DELETE_REPLACED if old.delete else Op.DELETE
