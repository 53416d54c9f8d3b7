"""Takes what the program registers and decides the steps that bring it about.

`register`, `read` and `invoke` are called from many threads at once, one per resource in flight.
What they share is guarded by one lock that is never held while a provider or a pack is asked.
"""

import os
import threading
from dataclasses import replace

from sandbox.engine import values
from sandbox.engine.assets import with_hashes
from sandbox.engine.checkpoint import Resource
from sandbox.engine.goals import PROVIDER_PREFIX, Goal, former_urns, make_urn
from sandbox.engine.policy import Packs
from sandbox.engine.project import Project
from sandbox.engine.providers import Diff, NoProviderError, Once, Provider, ProviderError
from sandbox.engine.registry import Manager, default_name, split_reference
from sandbox.engine.steps import PROTECTED, Steps, StoppedError
from sandbox.stack import Op

_GET_RESOURCE = "pulumi:pulumi:getResource"


class InvocationError(Exception):
    """A look-up failed. That is the program's to handle, and by itself ends nothing."""


class Deployment:
    """One run of the program against what there is."""

    def __init__(self, project: Project, steps: Steps, packs: Packs) -> None:
        self.steps = steps
        self._project = project
        self._packs = packs
        self._preview = steps.options.preview
        self._defaults = Once()
        self._lock = threading.Lock()
        self._goals: dict[str, Goal] = {}
        self._missing: set[str] = set()
        # New URN -> URN in the state, of what was found by an alias.
        self._renamed: dict[str, str] = {}
        # URNs deleted ahead of their turn, with the properties that made it necessary.
        self._recreating: dict[str, tuple[str, ...]] = {}
        self._replaced: set[str] = set()

    # -- what the program asks for ------------------------------------------------------------

    def register(self, goal: Goal) -> tuple[Resource, bool]:
        """Bring one resource to what the program wants; return it, and whether it was skipped."""
        self.steps.stop_if_cancelled()
        goal = self._inherit(goal)
        urn = self._urn(goal)
        with self.steps.failing(urn):
            goal = replace(goal, inputs=with_hashes(goal.inputs, self._project.program))
            old, former = self._claim(urn, goal)
            try:
                manager, reference = self._manager(goal)
            except NoProviderError as error:
                return self._without_provider(urn, goal, error), True
            new = _state(urn, goal, reference, former)
            if not self.steps.options.includes(new):
                return self._untargeted(old, new)
            return self._register(goal, old, new, manager), False

    def read(self, goal: Goal, identity: str) -> Resource:
        """Read a resource that somebody else manages (`get`)."""
        self.steps.stop_if_cancelled()
        urn = self._urn(goal)
        with self.steps.failing(urn):
            old, former = self._claim(urn, goal)
            manager, reference = self._manager(goal)
            assert manager is not None
            new = _state(urn, goal, reference, former).copy(external=True, id=identity)
            if values.is_unknown(identity):
                return self.steps.settle(new.copy(id=""), drop=old)
            return self.steps.read(old, new, manager)

    def invoke(
        self, token: str, arguments: values.Properties, provider: str, version: str
    ) -> tuple[values.Properties, list[tuple[str, str]]]:
        """Call a function of a provider for the program; return its result and what is wrong."""
        self.steps.stop_if_cancelled()
        if token == _GET_RESOURCE:
            found = self.steps.news.get(str(arguments.get("urn")))
            if found is None:
                return {}, [("urn", f"unknown resource {arguments.get('urn')}")]
            return {"urn": found.urn, "id": found.id, "state": found.outputs}, []
        goal = Goal(
            type=token, name=token, custom=True, inputs={}, provider=provider, version=version
        )
        with self.steps.failing(""):
            manager, _ = self._manager(goal)
        assert isinstance(manager, Provider)
        try:
            return manager.invoke(token, arguments, preview=self._preview)
        except ProviderError as error:
            raise InvocationError(f"invocation of {token} returned an error: {error}") from error

    def set_outputs(self, urn: str, outputs: values.Properties) -> None:
        """Record the outputs of a component or of the stack."""
        self.steps.stop_if_cancelled()
        with self.steps.failing(urn):
            old = self.steps.news[urn]
            new = old.copy(outputs=outputs)
            with self.steps.lock:
                self.steps.news[urn] = new
            self.steps.journal.finish(swap={old: new}, write=old.outputs != outputs)
            former = new.aliases[0] if new.aliases else urn
            self.steps.report.outputs(new, self.steps.olds.get(former))

    def review_stack(self) -> None:
        """Ask the stack policies, once everything is there."""
        resources = list(self.steps.news.values())
        root = make_urn(
            self._project.stack,
            self._project.name,
            "",
            "pulumi:pulumi:Stack",
            f"{self._project.name}-{self._project.stack}",
        )
        if self._packs.review_stack(resources, {r.urn: r for r in resources}, root):
            self.steps.failed = True

    # -- who it is ----------------------------------------------------------------------------

    def _urn(self, goal: Goal) -> str:
        return make_urn(self._project.stack, self._project.name, goal.parent, goal.type, goal.name)

    def _inherit(self, goal: Goal) -> Goal:
        with self._lock:
            parent = self._goals.get(goal.parent)
        if parent is None:
            return goal
        retain = goal.retain_on_delete
        return replace(
            goal,
            protect=parent.protect if goal.protect is None else goal.protect,
            retain_on_delete=parent.retain_on_delete if retain is None else retain,
            deleted_with=goal.deleted_with or parent.deleted_with,
        )

    def _claim(self, urn: str, goal: Goal) -> tuple[Resource | None, str]:
        """Take a URN, and find what the state has under it or under a former one."""
        with self._lock, self.steps.lock:
            if urn in self._goals:
                raise ProviderError(f"Duplicate resource URN {urn!r}; try giving it a unique name")
            self._goals[urn] = goal
            former = former_urns(goal, self._project.stack, self._project.name, self._renamed)
            for candidate in (urn, *former):
                old = self.steps.olds.get(candidate)
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
                for before, after in self.steps.journal.rename(candidate, urn).items():
                    self.steps.olds[before.urn] = after
                return old, candidate
        return None, ""

    # -- who manages it -----------------------------------------------------------------------

    def _manager(self, goal: Goal) -> tuple[Manager | None, str]:
        if not goal.custom:
            return None, ""
        registry = self.steps.registry
        if goal.is_provider:
            registry.require(goal.type.removeprefix(PROVIDER_PREFIX))
            return registry, ""
        registry.require(goal.package)
        reference = goal.provider
        if not reference:
            key = (goal.package, goal.version)
            reference = self._defaults.get(key, lambda: self._default_provider(*key))
        if provider := registry.get(reference):
            return provider, reference
        state = self.steps.known(split_reference(reference)[0])
        if state is None or f"{state.urn}::{state.id}" != reference:
            raise ProviderError(f"unknown provider {reference!r} for resource {goal.name!r}")
        return registry.ensure(state), reference

    def _default_provider(self, package: str, version: str) -> str:
        inputs: values.Properties = {
            key: values.secret(value) if is_secret else value
            for key, (value, is_secret) in self._project.package_config(package).items()
        }
        inputs["__internal"] = {}
        if version:
            inputs["version"] = version
        name = default_name(version)
        goal = Goal(type=PROVIDER_PREFIX + package, name=name, custom=True, inputs=inputs)
        state, _ = self.register(goal)
        return f"{state.urn}::{state.id}"

    def _without_provider(self, urn: str, goal: Goal, error: NoProviderError) -> Resource:
        """Let the packs judge inputs that nobody can check, then say what is missing."""
        new = self._reviewed(goal, _state(urn, goal, "", ""))
        with self._lock:
            first = error.package not in self._missing
            self._missing.add(error.package)
        if first:
            self.steps.fail(urn, str(error))
        if not self._preview:
            raise StoppedError(str(error))
        self.steps.news[urn] = new
        return new

    # -- the decision -------------------------------------------------------------------------

    def _untargeted(self, old: Resource | None, new: Resource) -> tuple[Resource, bool]:
        if old is None:
            with self.steps.step(Op.SAME, new, None):
                return new, True
        kept = old.copy(urn=new.urn, aliases=new.aliases, parent=new.parent)
        return self.steps.same(old, kept, None), False

    def _register(
        self, goal: Goal, old: Resource | None, new: Resource, manager: Manager | None
    ) -> Resource:
        imported = goal.import_id and goal.custom and _to_import(goal, old)
        if imported:
            assert manager is not None
            old = self.steps.take_over(old, new, manager, goal.import_id)
        keys = self._recreating.pop(new.urn, None)
        fresh = old is None or old.external or keys is not None
        new = self._reviewed(goal, self._checked(goal, None if fresh else old, new, manager))
        if old is None:
            return self.steps.create(new, manager)
        if keys is not None:
            return self._replace_deleted(
                old, new, manager, Diff(changes=True, replaces=keys), waited=True
            )
        if old.external:
            return self._replace_after(old, new, manager, Diff(changes=True))
        diff = self._diff(goal, old, new, manager)
        if old.pending_replacement or (diff.changes and diff.replaces):
            return self._replace(goal, old, new, manager, diff)
        if diff.changes or old.init_errors:
            return self.steps.update(old, new, manager, diff)
        if imported:
            return self.steps.keep(old, new)
        return self.steps.same(old, new, manager)

    def _checked(
        self, goal: Goal, old: Resource | None, new: Resource, manager: Manager | None
    ) -> Resource:
        """Let the provider check the inputs, with what the program ignores as it was."""
        inputs = goal.inputs
        if old is not None and goal.ignore_changes:
            inputs, missed = values.reset_paths(inputs, old.inputs, goal.ignore_changes)
            if missed:
                text = "cannot ignore changes in added or removed elements of the path: "
                self.steps.report.message("info", text + ", ".join(missed), new.urn)
        if manager is None:
            return new.copy(inputs=inputs)
        olds = old.inputs if old else {}
        checked, failures = manager.check(new.urn, olds, inputs, os.urandom(32))
        for path, reason in failures:
            where = f" in property {path!r}" if path else ""
            text = f"{new.resource_type} resource {new.name!r} has a problem{where}: {reason}"
            self.steps.fail(new.urn, text)
        if failures:
            raise StoppedError(f"{new.urn} has check errors")
        return new.copy(inputs=checked)

    def _reviewed(self, goal: Goal, new: Resource) -> Resource:
        """Let the packs change and judge the inputs."""
        options = {
            "deleteBeforeReplace": bool(goal.delete_before_replace),
            "deleteBeforeReplaceDefined": goal.delete_before_replace is not None,
        }
        provider = self.steps.known(split_reference(new.provider)[0])
        inputs, forbidden = self._packs.review(new, options, provider)
        if forbidden:
            self.steps.failed = True
            # A preview goes on, so that it tells of every violation.
            if not self._preview:
                raise StoppedError(f"{new.urn} violates a mandatory policy")
        return new.copy(inputs=inputs)

    def _diff(self, goal: Goal, old: Resource, new: Resource, manager: Manager | None) -> Diff:
        if goal.deleted_with and goal.deleted_with in self._replaced:
            return Diff(changes=True, replaces=("deletedWith",))
        if self._provider_changed(old, new):
            return Diff(changes=True, replaces=("provider",))
        if manager is None:
            return Diff(changes=bool(values.changed_keys(old.inputs, new.inputs)))
        diff = manager.diff(old, new.inputs, goal.ignore_changes)
        return _with_forced(diff, goal.replace_on_changes)

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
        before, after = self.steps.olds.get(old_urn), self.steps.known(new_urn)
        provider = self.steps.registry.get(new.provider)
        if before is None or after is None or provider is None:
            return True
        try:
            return bool(provider.diff_config(before, after.inputs).replaces)
        except NotImplementedError:
            return False

    # -- replacements -------------------------------------------------------------------------

    def _replace(
        self, goal: Goal, old: Resource, new: Resource, manager: Manager | None, diff: Diff
    ) -> Resource:
        if old.protect and new.protect:
            self.steps.fail(new.urn, f'unable to replace resource "{new.urn}"\n{PROTECTED}')
            if not self._preview:
                raise StoppedError(f"{new.urn} is protected")
        if goal.import_id:
            raise ProviderError(
                "previously-imported resources that still specify an ID may not be replaced; "
                "please remove the `import` declaration from your program"
            )
        # What was carried over from the old resource, such as its name, does not hold any more.
        new = self._checked(goal, None, new, manager)
        eager = diff.delete_before_replace
        if goal.delete_before_replace is not None:
            eager = goal.delete_before_replace
        if eager or old.pending_replacement:
            return self._replace_before(old, new, manager, diff)
        return self._replace_after(old, new, manager, diff)

    def _replace_after(
        self, old: Resource, new: Resource, manager: Manager | None, diff: Diff
    ) -> Resource:
        with self._lock:
            self._replaced.add(new.urn)
        created = self.steps.create_replacement(old, new, manager, diff, old_stays=True)
        self.steps.replace(old, created, diff)
        return created

    def _replace_before(
        self, old: Resource, new: Resource, manager: Manager | None, diff: Diff
    ) -> Resource:
        for dependent, keys in reversed(self._dependents(old)):
            if dependent.protect:
                raise ProviderError(
                    f'unable to replace resource "{dependent.urn}" as part of replacing '
                    f'"{new.urn}"\n{PROTECTED}'
                )
            self._recreating[dependent.urn] = keys
            self.steps.delete_for_replacement(dependent)
        if not old.pending_replacement:
            old = self.steps.delete_for_replacement(old)
        return self._replace_deleted(old, new, manager, diff)

    def _replace_deleted(
        self,
        old: Resource,
        new: Resource,
        manager: Manager | None,
        diff: Diff,
        *,
        waited: bool = False,
    ) -> Resource:
        with self._lock:
            self._replaced.add(new.urn)
        # The reasons of a resource that went ahead of its turn belong to the create alone.
        self.steps.replace(old, new, Diff(changes=True) if waited else diff)
        return self.steps.create_replacement(old, new, manager, diff, old_stays=False)

    def _dependents(self, root: Resource) -> list[tuple[Resource, tuple[str, ...]]]:
        """Find what a change of the root's outputs replaces, in the order of the state."""
        replaced = {root.urn}
        found: list[tuple[Resource, tuple[str, ...]]] = []
        with self._lock, self.steps.lock:
            waiting = [r for r in self.steps.olds.values() if r.urn not in self._goals]
        for resource in waiting:
            keys = self._keys_replaced_by(resource, replaced)
            if keys is not None:
                replaced.add(resource.urn)
                found.append((resource, keys))
        return found

    def _keys_replaced_by(self, resource: Resource, replaced: set[str]) -> tuple[str, ...] | None:
        """Say which properties replace a resource once others have been; None if none does."""
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
        manager = self.steps.manager_of(resource)
        diff = manager.diff(resource, inputs, tuple(resource.ignore_changes))
        return _with_forced(diff, tuple(resource.replace_on_changes)).replaces or None


def _with_forced(diff: Diff, replace_on_changes: tuple[str, ...]) -> Diff:
    """Add to what replaces the changes that the program wants to."""
    wanted = [values.parse_path(path) for path in replace_on_changes]
    forced = [
        key
        for key in diff.changed
        if any(values.contains_path(path, values.parse_path(key)) for path in wanted)
    ]
    return replace(diff, replaces=tuple(dict.fromkeys([*diff.replaces, *forced])))


def _to_import(goal: Goal, old: Resource | None) -> bool:
    return old is None or old.external or (old.import_id or old.id) != goal.import_id


def _state(urn: str, goal: Goal, reference: str, former: str) -> Resource:
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
