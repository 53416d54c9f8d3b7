"""Does one step at a time: asks the provider, records it before and after, and tells about it."""

import functools
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic

from pulumi import RunError

from sandbox.engine import values
from sandbox.engine.journal import Journal
from sandbox.engine.providers import Diff, PartialError, ProviderError
from sandbox.engine.registry import COMPONENTS, Manager, Registry
from sandbox.engine.report import Report
from sandbox.engine.state import Resource, now
from sandbox.stack import EngineError, Op, Request

PROTECTED = (
    "because it is protected. To unprotect it, remove the `protect` option from the resource in "
    "the program and deploy that first"
)
_NO_DIFF = Diff(changes=False)


class StoppedError(RunError):
    """The operation ends here: something failed, which has been reported, or it was cancelled."""


class Steps:
    """The steps of one operation, and what exists because of them. Methods run in any thread."""

    def __init__(
        self,
        journal: Journal,
        registry: Registry,
        report: Report,
        request: Request,
        *,
        preview: bool,
    ) -> None:
        self.preview = preview
        self.parallel = request.parallel
        self.failed = False
        self.journal = journal
        self.registry = registry
        self.report = report
        self.lock = threading.Lock()
        self.news: dict[str, Resource] = {}
        self._before = journal.current().resources
        self.olds = {resource.urn: resource for resource in self._before if not resource.delete}
        # URNs whose deletion is planned or done: what goes with one of them is left to it.
        self.doomed: set[str] = set()
        self._targets = [_glob(pattern) for pattern in request.targets]
        self._slots = threading.BoundedSemaphore(request.parallel)
        self._cancelled = threading.Event()

    # -- the course of things -----------------------------------------------------------------

    def includes(self, resource: Resource) -> bool:
        """Whether the operation may touch a resource: without targets any."""
        urn = resource.urn
        return not self._targets or any(target.fullmatch(urn) for target in self._targets)

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
        except EngineError as error:
            self.fail(urn, str(error))
            self.cancel()
            raise StoppedError(str(error)) from error
        except StoppedError:
            self.failed = True
            self.cancel()
            raise

    @contextmanager
    def asking(
        self,
        manager: Manager,
        kind: str = "",
        began: Resource | None = None,
        *,
        partly: Resource | None = None,
        old: Resource | None = None,
    ) -> Generator[None]:
        """Ask a provider for something, with no more than so many at once.

        With a `kind` it is recorded as pending, and when it fails, that nothing changed, or that a
        part did (`partly`, in place of `old`). Of a provider that is gone nobody knows.
        """
        with self._slots:
            self.stop_if_cancelled()
            if kind and began and manager.remote:
                self.journal.begin(kind, began)
            try:
                yield
            except ProviderError as error:
                if isinstance(error, PartialError) and partly:
                    known = {"id": error.id, "outputs": error.outputs, "init_errors": error.reasons}
                    self.settle(partly.copy(**known), began=began, old=old)
                elif not error.gone:
                    self.journal.finish(began)
                raise

    @contextmanager
    def step(
        self, op: Op, new: Resource, old: Resource | None, diff: Diff = _NO_DIFF
    ) -> Generator[None]:
        """Tell that a step begins, and how it ended."""
        self.stop_if_cancelled()
        self.report.started(op, new)
        began, failed = monotonic(), True
        try:
            yield
            failed = False
        finally:
            self.report.ended(op, old, new, diff, began=began, failed=failed)

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
        old: Resource | None = None,
        old_stays: bool = False,
        write: bool = True,
    ) -> Resource:
        """Record what a resource is from now on; the old one may stay, to be deleted later."""
        with self.lock:
            self.news[new.urn] = new
        swap = {old: old.copy(delete=True)} if old and old_stays else None
        drop = None if old_stays else old
        self.journal.finish(began, add=[new], drop=drop, swap=swap, write=write)
        return new

    def manager_of(self, resource: Resource) -> Manager:
        """Return the provider that the state says manages a resource."""
        if resource.is_provider or not resource.custom:
            return self.registry if resource.is_provider else COMPONENTS
        if provider := self.registry.get(resource.provider):
            return provider
        # A provider that was replaced is in the state twice; the id says which one is meant.
        for state in (*self._before, *self.news.values()):
            if state.reference == resource.provider:
                return self.registry.ensure(state)
        raise ProviderError(f"unknown provider {resource.provider!r} of {resource.urn}")

    # -- the steps ----------------------------------------------------------------------------

    def same(self, old: Resource, new: Resource) -> Resource:
        """Leave a resource as it is; the state may still learn of other options."""
        with self.step(Op.SAME, new, old):
            if new.is_provider:
                self.registry.ensure(new.copy(id=old.id, inputs=old.inputs))
            return self.keep(old, new)

    def keep(self, old: Resource, new: Resource) -> Resource:
        """Record a resource whose properties stay, without a step of its own."""
        kept = new.copy(id=old.id, outputs=old.outputs, created=old.created, modified=old.modified)
        return self.settle(kept, old=old, write=old.to_json() != kept.to_json())

    def create(
        self,
        new: Resource,
        old: Resource | None = None,
        diff: Diff = _NO_DIFF,
        *,
        old_stays: bool = False,
    ) -> Resource:
        """Create a resource, or what replaces `old`, which may stay until the operation's end."""
        op = Op.CREATE if old is None else Op.CREATE_REPLACEMENT
        manager = self.manager_of(new)
        with self.step(op, new, old, diff):
            born = new.copy(created=now(), modified=now())
            with self.asking(manager, "creating", new, partly=born):
                identity, outputs = manager.create(new)
            created = born.copy(id=identity, outputs=with_secrets(new, outputs))
            return self.settle(created, began=new, old=old, old_stays=old_stays)

    def replace(self, old: Resource, new: Resource, diff: Diff = _NO_DIFF) -> None:
        """Tell that one resource replaces another; creating and deleting are steps of their own."""
        with self.step(Op.REPLACE, new, old, diff):
            pass

    def update(self, old: Resource, new: Resource, diff: Diff) -> Resource:
        """Update a resource in place."""
        manager = self.manager_of(new)
        new = new.copy(id=old.id, outputs=old.outputs, created=old.created, modified=now())
        with self.step(Op.UPDATE, new, old, diff):
            # Half an update is to be done again: the state keeps the inputs that it had.
            partly = new.copy(inputs=old.inputs)
            with self.asking(manager, "updating", old, partly=partly, old=old):
                outputs = manager.update(old, new)
            new = new.copy(outputs=with_secrets(new, outputs))
            return self.settle(new, began=old, old=old)

    def read(self, old: Resource | None, new: Resource, identity: str) -> Resource:
        """Read what exists already: to import it, or, `external`, because somebody else manages it.

        One of ours of that name is let go of, or replaced.
        """
        manager = self.manager_of(new)
        ours = old if old and not old.external else None
        if new.external:
            replacing = ours is not None and ours.id != identity
            op = Op.READ_REPLACEMENT if replacing else Op.READ
        else:
            replacing, new = ours is not None, new.copy(created=now())
            op = Op.IMPORT if old is None else Op.IMPORT_REPLACEMENT
        with self.step(op, new, old):
            with self.asking(manager):
                found, inputs, outputs = manager.read(new, identity)
            if not found:
                raise ProviderError(f"resource {identity!r} does not exist")
            outputs = with_secrets(new, outputs)
            new = new.copy(id=found, inputs=inputs or new.inputs, outputs=outputs, modified=now())
            same = old and old.copy(modified=new.modified).to_json() == new.to_json()
            self.settle(new, old=old, old_stays=replacing, write=not same)
        if old and op is not Op.READ:
            self.replace(old, new)
        return new

    def delete_for_replacement(self, old: Resource) -> Resource:
        """Delete a resource whose replacement comes later; the state remembers that it is due."""
        with self.step(Op.DELETE_REPLACED, old, old):
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
                self._delete(old)
                self.journal.finish(old, drop=old)
        except EngineError as error:
            self.fail(old.urn, str(error))
            return False
        return True

    def _delete(self, old: Resource) -> None:
        left_alone = old.external or old.retain_on_delete or old.deleted_with in self.doomed
        if not (self.preview or left_alone or old.pending_replacement):
            manager = self.manager_of(old)
            with self.asking(manager, "deleting", old):
                manager.delete(old)


def with_secrets(resource: Resource, outputs: values.Properties) -> values.Properties:
    """Mark the outputs that a resource's options call secret."""
    names = set(resource.additional_secret_outputs)
    return {k: values.secret(v) if k in names else v for k, v in outputs.items()}


@functools.cache
def _glob(pattern: str) -> re.Pattern[str]:
    """Compile a target: `*` stands for anything within a part of a URN, `**` for anything."""
    known = {"**": ".*", "*": "[^:]*"}
    parts = re.split(r"(\*\*|\*)", pattern)
    return re.compile("".join(known.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _delete_op(old: Resource) -> Op:
    if old.pending_replacement:
        return Op.REMOVE_PENDING_REPLACE
    if old.external:
        return Op.DISCARD_REPLACED if old.delete else Op.DISCARD
    return Op.DELETE_REPLACED if old.delete else Op.DELETE
