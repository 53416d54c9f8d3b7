"""One operation on a stack: takes what the program registers, decides the steps and does them.

`register`, `read` and `invoke` are called from many threads at once, one per resource in flight.
What they share is guarded by one lock that is never held while a provider or a pack is asked.
"""

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from time import monotonic
from typing import Any

from sandbox.engine import assets, values
from sandbox.engine.checkpoint import Deployment as State
from sandbox.engine.checkpoint import Journal, Resource, now
from sandbox.engine.goals import PROVIDER_PREFIX, STACK_TYPE, Goal, former_urns, make_urn
from sandbox.engine.policy import Packs
from sandbox.engine.project import Project
from sandbox.engine.providers import (
    Diff,
    NoProviderError,
    Once,
    PartialError,
    Provider,
    ProviderError,
)
from sandbox.engine.registry import Manager, Registry, default_name, split_reference
from sandbox.engine.report import Reporter
from sandbox.stack import Op, Step

_PROTECTED = (
    "because it is protected. To unprotect it, remove the `protect` option from the resource in "
    "program and deploy that first"
)


class InvocationError(Exception):
    """A look-up failed. That is the program's to handle, and by itself ends nothing."""


class StoppedError(Exception):
    """The operation ends here: something failed, which has been reported, or it was cancelled."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How an operation runs."""

    preview: bool
    parallel: int = 16
    targets: tuple[str, ...] = ()

    def includes(self, urn: str) -> bool:
        """Whether the operation is to touch a resource."""
        return not self.targets or any(fnmatchcase(urn, pattern) for pattern in self.targets)


class Deployment:
    """The state of one operation while it runs."""

    def __init__(
        self,
        project: Project,
        before: State,
        journal: Journal,
        registry: Registry,
        packs: Packs,
        reporter: Reporter,
        options: Options,
    ) -> None:
        self.project = project
        self.options = options
        self.failed = False
        self._journal = journal
        self._registry = registry
        self._packs = packs
        self._report = reporter
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(options.parallel)
        self._defaults = Once()
        self._missing: set[str] = set()
        self._cancelled = threading.Event()
        self._before = before
        # The state that each URN has before its turn comes; replaced when a step changes it.
        self._olds = {r.urn: r for r in before.resources if not r.delete}
        self._news: dict[str, Resource] = {}
        self._goals: dict[str, Goal] = {}
        self._renamed: dict[str, str] = {}
        self._recreating: dict[str, tuple[str, ...]] = {}
        self._skipped: set[str] = set()
        self._deleted: set[str] = set()
        self._replaced: set[str] = set()

    # -- what the program asks for ------------------------------------------------------------

    def register(self, goal: Goal) -> tuple[Resource, bool]:
        """Bring one resource to what the program wants; return it, and whether it was skipped."""
        self.stop_if_cancelled()
        goal = self._inherit(goal)
        urn = make_urn(self.project.stack, self.project.name, goal.parent, goal.type, goal.name)
        with self._failing(urn):
            goal = replace(goal, inputs=assets.with_hashes(goal.inputs, self.project.program))
            old, former = self._claim(urn, goal)
            return self._register(urn, goal, old, former)

    def _register(
        self, urn: str, goal: Goal, old: Resource | None, former: str
    ) -> tuple[Resource, bool]:
        try:
            manager, reference = self._manager(goal)
        except NoProviderError as error:
            return self._without_provider(urn, goal, error)
        new = self._state(urn, goal, reference, former)
        if not self._targeted(new):
            return self._untargeted(old, new)
        recreating = urn in self._recreating
        if goal.custom and goal.import_id and self._imports(goal, old):
            old = self._import(goal, old, new, manager)
        fresh = old is None or recreating or old.external
        new = self._checked(goal, None if fresh else old, new, manager)
        new = self._reviewed(goal, new)
        if recreating and old is not None:
            return self._recreate(old, new, manager), False
        if old is None:
            return self._create(new, manager), False
        if old.external:
            return self._replace_after(old, new, manager, Diff(changes=True)), False
        return self._change(goal, old, new, manager), False

    def set_outputs(self, urn: str, outputs: values.Properties) -> None:
        """Record the outputs of a component or of the stack."""
        self.stop_if_cancelled()
        with self._lock:
            known = self._news.get(urn)
            if known is None:
                raise StoppedError(f"outputs of {urn}, which is not registered")
            new = self._news[urn] = known.copy(outputs=outputs)
        self._journal.finish(swap={known: new}, write=known.outputs != outputs)
        self._report.outputs(new, self._before_of(new))

    def read(self, goal: Goal, identity: str) -> Resource:
        """Read a resource that somebody else manages (`get`)."""
        self.stop_if_cancelled()
        urn = make_urn(self.project.stack, self.project.name, goal.parent, goal.type, goal.name)
        with self._failing(urn):
            old, former = self._claim(urn, goal)
            manager, reference = self._manager(goal)
            assert manager is not None
            new = self._state(urn, goal, reference, former).copy(external=True, id=identity)
            if values.is_unknown(identity):
                self._settle(new.copy(id=""), drop=old, write=False)
                return self._news[urn]
            relinquished = old is not None and not old.external and old.id != identity
            op = Op.READ_REPLACEMENT if relinquished else Op.READ
            with self._step(op, new, old):
                found, inputs, outputs = self._call(manager.read, new, identity)
                if not found:
                    raise ProviderError(f"resource {identity!r} does not exist")
            new = new.copy(
                id=found,
                inputs={**inputs} or new.inputs,
                outputs=self._hidden(goal, outputs),
                modified=now(),
            )
            if relinquished and old is not None:
                self._settle(new, swap={old: old.copy(delete=True)})
            else:
                self._settle(new, drop=old, write=not _same(old, new))
            return new

    def invoke(
        self, token: str, arguments: values.Properties, provider: str, version: str
    ) -> tuple[values.Properties, list[tuple[str, str]]]:
        """Call a function of a provider for the program."""
        self.stop_if_cancelled()
        if token == "pulumi:pulumi:getResource":  # noqa: S105  (a token of a function)
            with self._lock:
                found = self._news.get(str(arguments.get("urn")))
            if found is None:
                return {}, [("urn", f"unknown resource {arguments.get('urn')}")]
            return {"urn": found.urn, "id": found.id, "state": found.outputs}, []
        goal = Goal(
            type=token, name=token, custom=True, inputs={}, provider=provider, version=version
        )
        with self._failing(""):
            manager, _ = self._manager(goal)
        assert isinstance(manager, Provider)
        try:
            return manager.invoke(token, arguments, preview=self.options.preview)
        except ProviderError as error:
            raise InvocationError(f"invocation of {token} returned an error: {error}") from error

    # -- who manages it -----------------------------------------------------------------------

    def _inherit(self, goal: Goal) -> Goal:
        with self._lock:
            parent = self._goals.get(goal.parent)
        if parent is None:
            return goal
        return replace(
            goal,
            protect=parent.protect if goal.protect is None else goal.protect,
            retain_on_delete=(
                parent.retain_on_delete if goal.retain_on_delete is None else goal.retain_on_delete
            ),
            deleted_with=goal.deleted_with or parent.deleted_with,
        )

    def _claim(self, urn: str, goal: Goal) -> tuple[Resource | None, str]:
        """Find what the state has under this URN or a former one, and take the URN."""
        with self._lock:
            if urn in self._goals:
                raise ProviderError(f"Duplicate resource URN {urn!r}; try giving it a unique name")
            self._goals[urn] = goal
            project, stack = self.project.name, self.project.stack
            for candidate in (urn, *former_urns(goal, stack, project, self._renamed)):
                old = self._olds.get(candidate)
                if old is None:
                    continue
                if candidate == urn:
                    return old, ""
                if candidate in self._goals or candidate in self._renamed.values():
                    raise ProviderError(
                        f"Duplicate resource alias {candidate!r} applied to resource with URN "
                        f"{urn!r}: another resource has that URN or alias"
                    )
                self._renamed[urn] = candidate
                # Whoever refers to it registers later, and is to find it under its new URN.
                for before, after in self._journal.rename(candidate, urn).items():
                    self._olds[before.urn] = after
                return old, candidate
        return None, ""

    def _manager(self, goal: Goal) -> tuple[Manager | None, str]:
        if not goal.custom:
            return None, ""
        if goal.is_provider:
            self._registry.require(goal.type.removeprefix(PROVIDER_PREFIX))
            return self._registry, ""
        self._registry.require(goal.package)
        reference = goal.provider
        if not reference:
            key = (goal.package, goal.version)
            reference = self._defaults.get(key, lambda: self._default_provider(*key))
        if provider := self._registry.get(reference):
            return provider, reference
        urn, identity = split_reference(reference)
        with self._lock:
            state = self._news.get(urn) or self._olds.get(urn)
        if state is None or state.id != identity:
            raise ProviderError(f"unknown provider {reference!r} for resource {goal.name!r}")
        return self._registry.ensure(state), reference

    def _default_provider(self, package: str, version: str) -> str:
        inputs: values.Properties = {
            key: values.secret(value) if is_secret else value
            for key, (value, is_secret) in self.project.package_config(package).items()
        }
        inputs["__internal"] = {}
        if version:
            inputs["version"] = version
        goal = Goal(
            type=PROVIDER_PREFIX + package, name=default_name(version), custom=True, inputs=inputs
        )
        state, _ = self.register(goal)
        return f"{state.urn}::{state.id}"

    def _without_provider(
        self, urn: str, goal: Goal, error: NoProviderError
    ) -> tuple[Resource, bool]:
        """Let the packs judge inputs that nobody can check, then say what is missing."""
        new = self._reviewed(goal, self._state(urn, goal, "", ""))
        with self._lock:
            first = error.package not in self._missing
            self._missing.add(error.package)
            self._news[urn] = new
        if first:
            self._fail(urn, str(error))
        if not self.options.preview:
            raise StoppedError(str(error))
        return new, True

    def _state(self, urn: str, goal: Goal, reference: str, former: str) -> Resource:
        return Resource(
            urn=urn,
            resource_type=goal.type,
            custom=goal.custom,
            inputs=goal.inputs,
            parent=goal.parent,
            protect=bool(goal.protect),
            dependencies=list(goal.dependencies),
            provider=reference,
            property_dependencies=goal.property_dependencies,
            additional_secret_outputs=list(goal.additional_secret_outputs),
            aliases=[former] if former else [],
            custom_timeouts=goal.custom_timeouts,
            import_id=goal.import_id,
            retain_on_delete=bool(goal.retain_on_delete),
            deleted_with=goal.deleted_with,
            ignore_changes=list(goal.ignore_changes),
            replace_on_changes=list(goal.replace_on_changes),
        )

    # -- before a step ------------------------------------------------------------------------

    def _checked(
        self, goal: Goal, old: Resource | None, new: Resource, manager: Manager | None
    ) -> Resource:
        inputs = goal.inputs
        if old is not None and goal.ignore_changes:
            inputs, missed = values.reset_paths(inputs, old.inputs, goal.ignore_changes)
            if missed:
                text = "cannot ignore changes in added or removed elements of the path: "
                self._report.message("info", text + ", ".join(missed), new.urn)
        if manager is None:
            return new.copy(inputs=inputs)
        olds = old.inputs if old else {}
        checked, failures = manager.check(new.urn, olds, inputs, os.urandom(32))
        for path, reason in failures:
            where = f".{path}" if path else ""
            self._fail(
                new.urn, f"{new.resource_type} resource {new.name!r} has a problem{where}: {reason}"
            )
        if failures:
            raise StoppedError(f"{new.urn} has check errors")
        return new.copy(inputs=checked)

    def _reviewed(self, goal: Goal, new: Resource) -> Resource:
        defined = goal.delete_before_replace is not None
        options = {
            "deleteBeforeReplace": bool(goal.delete_before_replace),
            "deleteBeforeReplaceDefined": defined,
        }
        urn, _ = split_reference(new.provider)
        inputs, forbidden = self._packs.review(new, options, self._known(urn))
        if forbidden:
            self.failed = True
            if not self.options.preview:
                raise StoppedError(f"{new.urn} violates a mandatory policy")
        return new.copy(inputs=inputs)

    def _known(self, urn: str) -> Resource | None:
        with self._lock:
            return self._news.get(urn) or self._olds.get(urn)

    def _before_of(self, new: Resource) -> Resource | None:
        return self._olds.get(new.aliases[0] if new.aliases else new.urn)

    def _targeted(self, new: Resource) -> bool:
        implicit = new.resource_type.startswith((PROVIDER_PREFIX, STACK_TYPE))
        return implicit or self.options.includes(new.urn)

    def _untargeted(self, old: Resource | None, new: Resource) -> tuple[Resource, bool]:
        if old is not None:
            with self._step(Op.SAME, new, old):
                kept = old.copy(urn=new.urn, aliases=new.aliases, parent=new.parent)
                self._settle(kept, drop=old, write=False)
            return kept, False
        with self._lock:
            self._skipped.add(new.urn)
            self._news[new.urn] = new
        return new, True

    # -- the decision -------------------------------------------------------------------------

    def _change(
        self, goal: Goal, old: Resource, new: Resource, manager: Manager | None
    ) -> Resource:
        diff = self._diff(goal, old, new, manager)
        if old.pending_replacement or (diff.changes and diff.replaces):
            return self._replace(goal, old, new, manager, diff)
        if diff.changes or old.init_errors:
            return self._update(old, new, manager, diff)
        with self._step(Op.SAME, new, old):
            if isinstance(manager, Registry):
                manager.ensure(new.copy(id=old.id, inputs=old.inputs))
            new = new.copy(
                id=old.id, outputs=old.outputs, created=old.created, modified=old.modified
            )
            self._settle(new, drop=old, write=not _same(old, new))
        return new

    def _diff(self, goal: Goal, old: Resource, new: Resource, manager: Manager | None) -> Diff:
        if goal.deleted_with and goal.deleted_with in self._replaced:
            return Diff(changes=True, replaces=("deletedWith",))
        if self._provider_changed(old, new):
            return Diff(changes=True, replaces=("provider",))
        if manager is None:
            return Diff(changes=bool(values.changed_keys(old.inputs, new.inputs)))
        diff = manager.diff(old, new.inputs, goal.ignore_changes)
        wanted = [values.parse_path(path) for path in goal.replace_on_changes]
        forced = [
            key
            for key in diff.changed
            if any(values.contains_path(path, values.parse_path(key)) for path in wanted)
        ]
        return replace(diff, replaces=tuple(dict.fromkeys([*diff.replaces, *forced])))

    def _provider_changed(self, old: Resource, new: Resource) -> bool:
        """Say whether another provider manages the resource now, one that cannot take it over."""
        if old.provider == new.provider:
            return False
        if not old.provider or not new.provider:
            return True
        old_urn, _ = split_reference(old.provider)
        new_urn, _ = split_reference(new.provider)
        if self._renamed.get(new_urn) == old_urn:
            return False
        before, after = self._olds.get(old_urn), self._known(new_urn)
        provider = self._registry.get(new.provider)
        if before is None or after is None or provider is None:
            return True
        try:
            return bool(provider.diff_config(before, after.inputs).replaces)
        except NotImplementedError:
            return False

    def _imports(self, goal: Goal, old: Resource | None) -> bool:
        return old is None or old.external or (old.import_id or old.id) != goal.import_id

    def _replace(
        self, goal: Goal, old: Resource, new: Resource, manager: Manager | None, diff: Diff
    ) -> Resource:
        if old.protect and new.protect:
            self._fail(new.urn, f'unable to replace resource "{new.urn}"\n{_PROTECTED}')
            if not self.options.preview:
                raise StoppedError(f"{new.urn} is protected")
        if goal.import_id:
            raise ProviderError(
                "previously-imported resources that still specify an ID may not be replaced; "
                "please remove the `import` declaration from your program"
            )
        with self._lock:
            self._replaced.add(new.urn)
        # What was carried over from the old resource, such as its name, does not hold any more.
        new = self._checked(goal, None, new, manager)
        before = goal.delete_before_replace
        if diff.delete_before_replace if before is None else before:
            return self._replace_before(old, new, manager, diff)
        return self._replace_after(old, new, manager, diff)

    # -- the steps ----------------------------------------------------------------------------

    def _create(self, new: Resource, manager: Manager | None) -> Resource:
        with self._step(Op.CREATE, new, None) as done:
            created = self._do_create(new, manager, done)
            self._settle(created, began=new)
        return created

    def _do_create(
        self, new: Resource, manager: Manager | None, done: Callable[[Resource], None]
    ) -> Resource:
        if manager is None:
            return new.copy(created=now(), modified=now())
        if not isinstance(manager, Registry):
            self._journal.begin("creating", new)
        try:
            identity, outputs = self._call(manager.create, new, preview=self.options.preview)
        except PartialError as error:
            partial = new.copy(
                id=error.id,
                outputs=error.outputs,
                init_errors=error.reasons,
                created=now(),
                modified=now(),
            )
            self._settle(partial, began=new)
            raise
        except ProviderError as error:
            if not error.gone:
                self._journal.finish(new)
            raise
        created = new.copy(
            id=identity,
            outputs=self._hidden(new, outputs),
            created=now(),
            modified=now(),
        )
        done(created)
        return created

    def _update(
        self, old: Resource, new: Resource, manager: Manager | None, diff: Diff
    ) -> Resource:
        new = new.copy(id=old.id, created=old.created, modified=old.modified)
        with self._step(Op.UPDATE, new, old, diff) as done:
            if manager is None:
                new = new.copy(outputs=old.outputs, modified=now())
            else:
                if not isinstance(manager, Registry):
                    self._journal.begin("updating", old)
                try:
                    outputs = self._call(manager.update, old, new, preview=self.options.preview)
                except PartialError as error:
                    partial = new.copy(
                        outputs=error.outputs, init_errors=error.reasons, modified=now()
                    )
                    self._settle(partial, began=old, drop=old)
                    raise
                except ProviderError as error:
                    if not error.gone:
                        self._journal.finish(old)
                    raise
                new = new.copy(outputs=self._hidden(new, outputs), modified=now())
            done(new)
            self._settle(new, began=old, drop=old)
        return new

    def _replace_after(
        self, old: Resource, new: Resource, manager: Manager | None, diff: Diff
    ) -> Resource:
        with self._step(Op.CREATE_REPLACEMENT, new, old, diff) as done:
            created = self._do_create(new, manager, done)
            # The old one goes when nothing refers to it any more: after everything else.
            self._settle(created, began=new, swap={old: old.copy(delete=True)})
        self._logical_replace(old, created, diff)
        return created

    def _replace_before(
        self, old: Resource, new: Resource, manager: Manager | None, diff: Diff
    ) -> Resource:
        if not old.pending_replacement:
            for dependent, keys in reversed(self._dependent_replacements(old)):
                if dependent.protect:
                    raise ProviderError(
                        f'unable to replace resource "{dependent.urn}" as part of replacing '
                        f'"{new.urn}"\n{_PROTECTED}'
                    )
                self._recreating[dependent.urn] = keys
                self._delete_for_replacement(dependent)
            old = self._delete_for_replacement(old)
        self._logical_replace(old, new, diff)
        with self._step(Op.CREATE_REPLACEMENT, new, old, diff) as done:
            created = self._do_create(new, manager, done)
            self._settle(created, began=new, drop=old)
        return created

    def _recreate(self, old: Resource, new: Resource, manager: Manager | None) -> Resource:
        diff = Diff(changes=True, replaces=self._recreating.pop(new.urn))
        with self._lock:
            self._replaced.add(new.urn)
        self._logical_replace(old, new, diff)
        with self._step(Op.CREATE_REPLACEMENT, new, old, diff) as done:
            created = self._do_create(new, manager, done)
            self._settle(created, began=new, drop=old)
        return created

    def _logical_replace(self, old: Resource, new: Resource, diff: Diff) -> None:
        with self._step(Op.REPLACE, new, old, diff):
            pass

    def _delete_for_replacement(self, old: Resource) -> Resource:
        with self._step(Op.DELETE_REPLACED, old, old):
            self._do_delete(old)
            waiting = old.copy(pending_replacement=True)
            self._journal.finish(old, swap={old: waiting})
        with self._lock:
            self._olds[old.urn] = waiting
            self._deleted.add(old.urn)
        return waiting

    def _dependent_replacements(self, root: Resource) -> list[tuple[Resource, tuple[str, ...]]]:
        """Find what a change of the root's outputs replaces, in the order of the state."""
        replaced = {root.urn}
        found: list[tuple[Resource, tuple[str, ...]]] = []
        with self._lock:
            waiting = [r for r in self._olds.values() if r.urn not in self._goals]
        for resource in waiting:
            keys = self._keys_replaced_by(resource, replaced)
            if keys is not None:
                replaced.add(resource.urn)
                found.append((resource, keys))
        return found

    def _keys_replaced_by(self, resource: Resource, replaced: set[str]) -> tuple[str, ...] | None:
        if not resource.custom or resource.external:
            return None
        if split_reference(resource.provider)[0] in replaced or resource.deleted_with in replaced:
            return ()
        inputs = {
            key: values.UNKNOWN
            if replaced.intersection(resource.property_dependencies.get(key, ()))
            else value
            for key, value in resource.inputs.items()
        }
        if inputs == resource.inputs:
            return None
        manager = self._manager_of(resource)
        diff = manager.diff(resource, inputs, tuple(resource.ignore_changes))
        wanted = [values.parse_path(path) for path in resource.replace_on_changes]
        forced = [k for k in diff.changed if any(values.contains_path(p, (k,)) for p in wanted)]
        keys = (*diff.replaces, *forced)
        return keys or None

    def _manager_of(self, resource: Resource) -> Manager:
        if resource.resource_type.startswith(PROVIDER_PREFIX):
            return self._registry
        if provider := self._registry.get(resource.provider):
            return provider
        urn, identity = split_reference(resource.provider)
        # A provider that was replaced is in the state twice; the id says which one is meant.
        for state in (*self._before.resources, *self._news.values()):
            if state.urn == urn and state.id == identity:
                return self._registry.ensure(state)
        raise ProviderError(f"unknown provider {resource.provider!r} of {resource.urn}")

    def _import(
        self, goal: Goal, old: Resource | None, new: Resource, manager: Manager | None
    ) -> Resource:
        assert manager is not None
        op = Op.IMPORT if old is None else Op.IMPORT_REPLACEMENT
        with self._step(op, new, old):
            identity, inputs, outputs = self._call(manager.read, new, goal.import_id)
            if not identity:
                raise ProviderError(f"resource {goal.import_id!r} does not exist")
            imported = new.copy(
                id=identity,
                inputs=inputs,
                outputs=self._hidden(new, outputs),
                created=now(),
                modified=now(),
            )
            swap = {old: old.copy(delete=True)} if old and not old.external else {}
            self._settle(imported, drop=old if old and old.external else None, swap=swap)
        if old is not None:
            self._logical_replace(old, imported, Diff(changes=True))
        return imported

    # -- the end ------------------------------------------------------------------------------

    def finish(self) -> None:
        """Delete what the program did not register any more, then ask the stack policies."""
        self._delete(self._left_over())
        self.stop_if_cancelled()
        with self._lock:
            resources = list(self._news.values())
            providers = {r.urn: r for r in resources}
        if self._packs.review_stack(resources, providers):
            self.failed = True

    def destroy(self) -> None:
        """Delete everything that the state holds."""
        self._delete(self._left_over())

    def _left_over(self) -> list[Resource]:
        done = set(self._news.values())
        return [
            resource
            for resource in self._journal.current().resources
            if resource not in done
            and (resource.delete or resource.urn not in self._news)
            and self.options.includes(resource.urn)
        ]

    def _delete(self, condemned: list[Resource]) -> None:
        self._deleted.update(resource.urn for resource in condemned)
        for wave in _waves(condemned):
            with ThreadPoolExecutor(max_workers=self.options.parallel) as pool:
                results = [pool.submit(self._delete_one, resource) for resource in wave]
            for result in results:
                result.result()
            if self.failed and not self.options.preview:
                raise StoppedError("a delete failed")

    def _delete_one(self, old: Resource) -> None:
        self.stop_if_cancelled()
        if old.pending_replacement:
            with self._step(Op.REMOVE_PENDING_REPLACE, old, old):
                self._journal.finish(drop=[old])
            return
        op = Op.DELETE_REPLACED if old.delete else Op.DELETE
        if old.external:
            op = Op.DISCARD_REPLACED if old.delete else Op.DISCARD
        with self._failing(old.urn), self._step(op, old, old):
            if old.protect and not old.delete:
                raise ProviderError(f'resource "{old.urn}" cannot be deleted\n{_PROTECTED}')
            self._do_delete(old)
            self._journal.finish(old, drop=[old])

    def _do_delete(self, old: Resource) -> None:
        left_alone = (
            self.options.preview
            or not old.custom
            or old.external
            or old.retain_on_delete
            or (old.deleted_with and old.deleted_with in self._deleted)
        )
        if left_alone:
            return
        manager = self._manager_of(old)
        if isinstance(manager, Registry):
            return
        self._journal.begin("deleting", old)
        try:
            self._call(manager.delete, old)
        except ProviderError as error:
            if not error.gone:
                self._journal.finish(old)
            raise

    def refresh(self) -> None:
        """Read every resource from its provider and record what it found."""
        resources = [r for r in self._before.resources if self.options.includes(r.urn)]
        for resource in resources:
            if resource.resource_type.startswith(PROVIDER_PREFIX):
                self._registry.ensure(resource)
        with ThreadPoolExecutor(max_workers=self.options.parallel) as pool:
            for result in [pool.submit(self._refresh_one, resource) for resource in resources]:
                result.result()

    def _refresh_one(self, old: Resource) -> None:
        self.stop_if_cancelled()
        if not old.custom or old.pending_replacement or isinstance(self._manager_of(old), Registry):
            return
        with self._failing(old.urn):
            began = monotonic()
            manager = self._manager_of(old)
            identity, inputs, outputs = self._call(manager.read, old, old.id)
            if not identity:
                self._journal.finish(drop=[old])
                self._report.step(
                    Step(op=Op.DELETE, urn=old.urn, type=old.resource_type), old, None
                )
                return
            goal_outputs = self._hidden(old, outputs)
            new = old.copy(id=identity, inputs=inputs or old.inputs, outputs=goal_outputs)
            changed = tuple(
                dict.fromkeys(
                    (
                        *values.changed_keys(old.inputs, new.inputs),
                        *values.changed_keys(old.outputs, new.outputs),
                    )
                )
            )
            if changed:
                new = new.copy(modified=now())
                self._journal.finish(swap={old: new})
            self._report.step(
                Step(
                    op=Op.UPDATE if changed else Op.SAME,
                    urn=old.urn,
                    type=old.resource_type,
                    changed=changed,
                    duration=monotonic() - began,
                ),
                old,
                new,
            )

    # -- shared by all steps ------------------------------------------------------------------

    def _call(self, method: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        with self._slots:
            self.stop_if_cancelled()
            return method(*arguments, **keywords)

    def _hidden(self, of: Goal | Resource, outputs: values.Properties) -> values.Properties:
        names = set(of.additional_secret_outputs)
        return {k: values.secret(v) if k in names else v for k, v in outputs.items()}

    def _settle(
        self,
        new: Resource,
        *,
        began: Resource | None = None,
        drop: Resource | None = None,
        swap: dict[Resource, Resource] | None = None,
        write: bool = True,
    ) -> None:
        with self._lock:
            self._news[new.urn] = new
        self._journal.finish(
            began,
            add=[new],
            drop=[drop] if drop is not None else (),
            swap=swap,
            write=write,
        )

    @contextmanager
    def _step(self, op: Op, new: Resource, old: Resource | None, diff: Diff | None = None) -> Any:
        self.stop_if_cancelled()
        self._report.started(op, new)
        began = monotonic()
        result = new

        def done(resource: Resource) -> None:
            nonlocal result
            result = resource

        failed = True
        try:
            yield done
            failed = False
        finally:
            diff = diff or Diff(changes=False)
            self._report.step(
                Step(
                    op=op,
                    urn=new.urn,
                    type=new.resource_type,
                    changed=diff.changed if diff.changes else (),
                    replacing=diff.replaces,
                    failed=failed,
                    duration=monotonic() - began,
                ),
                old,
                result,
            )

    @contextmanager
    def _failing(self, urn: str) -> Any:
        """Report what goes wrong once, where it did, and end the operation."""
        try:
            yield
        except (ProviderError, NotImplementedError, assets.AssetError, NoProviderError) as error:
            self._fail(urn, str(error))
            self.cancel()
            raise StoppedError(str(error)) from error
        except StoppedError:
            self.failed = True
            self.cancel()
            raise

    def _fail(self, urn: str, message: str) -> None:
        self.failed = True
        self._report.message("error", message, urn)

    def cancel(self) -> None:
        """Begin no more steps; those under way are finished."""
        self._cancelled.set()

    def stop_if_cancelled(self) -> None:
        """Raise `StoppedError` once the operation is to end."""
        if self._cancelled.is_set():
            raise StoppedError("the operation was cancelled")


def _same(old: Resource | None, new: Resource) -> bool:
    return old is not None and {**old.to_json(), "modified": ""} == {
        **new.to_json(),
        "modified": "",
    }


def _waves(condemned: Iterable[Resource]) -> list[list[Resource]]:
    """Group deletes so that whatever refers to a resource goes before it does."""
    left = list(dict.fromkeys(condemned))
    waves: list[list[Resource]] = []
    while left:
        needed = {edge for resource in left for edge in resource.edges - {resource.urn}}
        free = [resource for resource in left if resource.urn not in needed]
        # Two states of one URN may refer to each other's successors; the state's order decides.
        wave = free or [left[-1]]
        waves.append(wave)
        left = [resource for resource in left if resource not in wave]
    return waves
