"""Takes what the program registers and decides the steps that bring it about.

`register`, `read` and `invoke` are called from many threads at once, one per resource in flight.
What they share is guarded by the lock of the steps, which is never held while a provider or a pack
is asked.
"""

import threading
from typing import Any

import grpc
from pulumi.runtime.proto.provider_pb2 import CheckFailure, InvokeResponse
from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest

from sandbox.engine import values
from sandbox.engine.assets import with_hashes
from sandbox.engine.dependents import replaced_with, with_forced
from sandbox.engine.goals import former_urns, make_urn, refuse_unsupported, wanted
from sandbox.engine.plugins import NoProviderError
from sandbox.engine.policy import Packs
from sandbox.engine.project import Project
from sandbox.engine.providers import Diff, ProviderError
from sandbox.engine.state import PROVIDER_PREFIX, STACK_TYPE, Resource
from sandbox.engine.steps import PROTECTED, Steps, StoppedError
from sandbox.stack import Op

_GET_RESOURCE = "pulumi:pulumi:getResource"
_SOME = Diff(changes=True)
_NOT_A_TARGET = "which was not specified in --target list"


class InvocationError(grpc.RpcError):
    """A look-up failed: the SDK makes it the program's exception, and it ends nothing by itself."""

    def code(self) -> grpc.StatusCode:
        """Return what the real monitor gives for every failed look-up."""
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        """Return why."""
        return str(self)


class Deployment:
    """One run of the program against what there is."""

    def __init__(self, project: Project, steps: Steps, packs: Packs) -> None:
        self.steps = steps
        self.project = project
        self._packs = packs
        self._preview = steps.preview
        # Held while a default provider is registered: whoever else wants one waits for it.
        self._default_lock = threading.Lock()
        self._defaults: dict[tuple[str, str], str] = {}
        # By URN, what the program has asked for; a registration is there before it is done.
        self._wanted: dict[str, Resource] = {}
        self._missing: set[str] = set()
        # New URN -> URN in the state, of what was found by an alias.
        self._renamed: dict[str, str] = {}
        # URNs deleted ahead of their turn, with the properties that made it necessary.
        self._recreating: dict[str, tuple[str, ...]] = {}
        self._replaced: set[str] = set()
        # URNs of new resources that are not among the targets.
        self._skipped: set[str] = set()

    # -- what the program asks for ------------------------------------------------------------

    def register(
        self, goal: RegisterResourceRequest, read: str | None = None
    ) -> tuple[Resource, bool]:
        """Bring one resource to what the program wants; return it, and whether it was skipped.

        With an id to `read` somebody else manages it (`get`).
        """
        self.steps.stop_if_cancelled()
        refuse_unsupported(goal)
        with self.steps.failing(self._urn(goal.parent, goal.type, goal.name)):
            old, new = self._claim(goal)
            new.inputs = with_hashes(new.inputs, self.project.program)
            try:
                new = new.copy(provider=self._provider(new, goal.provider, goal.version))
            except NoProviderError as error:
                return self._without_provider(new, error), True
            if read is not None:
                unknown = values.is_unknown(read)
                new = new.copy(external=True, id="" if unknown else read)
                if unknown:
                    return self.steps.settle(new, old=old), False
                return self.steps.read(old, new, read), False
            # The stack, providers, and what was deleted for another's sake come whatever is asked.
            implicit = new.is_provider or new.type == STACK_TYPE or new.urn in self._recreating
            if not implicit and not self.steps.includes(new):
                return self._untargeted(old, new)
            for needed in sorted(new.edges & self._skipped):
                text = f"Resource {new.urn!r} depends on {needed!r}, {_NOT_A_TARGET}"
                self.steps.fail(new.urn, text)
                if not self._preview:
                    raise StoppedError(text)
            return self._register(old, new), False

    def invoke(
        self, token: str, arguments: values.Properties, provider: str, version: str
    ) -> InvokeResponse:
        """Call a function of a provider for the program; return its result and what is wrong."""
        self.steps.stop_if_cancelled()
        if token == _GET_RESOURCE:
            found = self.steps.news.get(str(arguments.get("urn")))
            if found is None:
                reason = f"unknown resource {arguments.get('urn')}"
                return InvokeResponse(failures=[CheckFailure(property="urn", reason=reason)])
            known = {"urn": found.urn, "id": found.id, "state": found.outputs}
            answer: dict[str, Any] = {"return": values.to_struct(known)}
            return InvokeResponse(**answer)
        with self.steps.failing(""):
            function = Resource(urn=token, type=token, custom=True)
            asked = self.steps.registry.get(self._provider(function, provider, version))
        assert asked is not None
        try:
            return asked.invoke(token, arguments)
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
            if new.type == STACK_TYPE:
                former = new.aliases[0] if new.aliases else urn
                self.steps.report.stack_outputs = (new, self.steps.olds.get(former))

    def review_stack(self) -> None:
        """Ask the stack policies, once everything is there."""
        root = self._urn("", STACK_TYPE, f"{self.project.name}-{self.project.stack}")
        if self._packs.review_stack(self.steps.news, root):
            self.steps.failed = True

    # -- who it is, and who manages it --------------------------------------------------------

    def _urn(self, parent: str, kind: str, name: str) -> str:
        return make_urn(self.project.stack, self.project.name, parent, kind, name)

    def _claim(self, goal: RegisterResourceRequest) -> tuple[Resource | None, Resource]:
        """Take a URN; return what the state has under it or a former one, and what is wanted."""
        urn = self._urn(goal.parent, goal.type, goal.name)
        with self.steps.lock:
            if urn in self._wanted:
                raise ProviderError(f"Duplicate resource URN {urn!r}; try giving it a unique name")
            parent = self._wanted.get(goal.parent)
            new = self._wanted[urn] = wanted(goal, urn, parent)
            for candidate in (urn, *former_urns(goal, urn, self._renamed)):
                old = self.steps.olds.get(candidate)
                if old is None:
                    continue
                if candidate == urn:
                    return old, new
                if candidate in self._wanted or candidate in self._renamed.values():
                    raise ProviderError(
                        f"Duplicate resource alias {candidate!r} applied to resource with URN "
                        f"{urn!r}: another resource has that URN or alias"
                    )
                self._renamed[urn] = candidate
                # Whoever refers to it registers later, and is to find it under its new URN.
                for before, after in self.steps.journal.rename(candidate, urn).items():
                    self.steps.olds[before.urn] = after
                new.aliases = [candidate]
                return old, new
        return None, new

    def _provider(self, new: Resource, reference: str, version: str) -> str:
        """Have the provider of a resource configured, and return the reference to it, if any."""
        if not new.custom:
            return ""
        registry = self.steps.registry
        package = new.type.removeprefix(PROVIDER_PREFIX).split(":", 1)[0]
        registry.require(package)
        if new.is_provider:
            return ""
        reference = reference or self._default_provider(package, version)
        if registry.get(reference) is None:
            state = self.steps.known(reference.rpartition("::")[0])
            if state is None or state.reference != reference:
                raise ProviderError(f"unknown provider {reference!r} for resource {new.name!r}")
            registry.ensure(state)
        return reference

    def _default_provider(self, package: str, version: str) -> str:
        """Register the provider that a program gets without asking, named as the CLI names it."""
        with self._default_lock:
            if known := self._defaults.get((package, version)):
                return known
            inputs: values.Properties = {"__internal": {}}
            for key, value in self.project.config.items():
                namespace, _, name = key.partition(":")
                if namespace == package:
                    secret = key in self.project.secret_keys
                    inputs[name] = values.secret(value) if secret else value
            if version:
                inputs["version"] = version
            goal = RegisterResourceRequest(
                type=PROVIDER_PREFIX + package,
                name=f"default_{version.replace('.', '_')}" if version else "default",
                custom=True,
                object=values.to_struct(inputs),
            )
            self._defaults[package, version] = self.register(goal)[0].reference
            return self._defaults[package, version]

    def _without_provider(self, new: Resource, error: NoProviderError) -> Resource:
        """Let the packs judge inputs that nobody can check, then say what is missing."""
        new = self._reviewed(new)
        with self.steps.lock:
            first = error.package not in self._missing
            self._missing.add(error.package)
        if first:
            self.steps.fail(new.urn, str(error))
        if not self._preview:
            raise StoppedError(str(error))
        self.steps.news[new.urn] = new
        return new

    # -- the decision -------------------------------------------------------------------------

    def _untargeted(self, old: Resource | None, new: Resource) -> tuple[Resource, bool]:
        if old is None:
            self._skipped.add(new.urn)
            with self.steps.step(Op.SAME, new, None):
                return new, True
        provider = self.steps.known(old.provider_urn)
        if old.provider and (provider is None or provider.reference != old.provider):
            raise ProviderError(
                f"provider {old.provider} of {old.urn} is no more, and the resource was not "
                "specified in --target list: target it too, or leave the provider as it was"
            )
        kept = old.copy(urn=new.urn, aliases=new.aliases, parent=new.parent)
        return self.steps.same(old, kept), False

    def _register(self, old: Resource | None, new: Resource) -> Resource:
        known = (old.import_id or old.id) if old and not old.external else ""
        imported = new.custom and bool(new.import_id) and new.import_id != known
        if imported:
            old = self.steps.read(old, new, new.import_id)
        keys = self._recreating.pop(new.urn, None)
        fresh = old is None or old.external or keys is not None
        new = self._reviewed(self._checked(None if fresh else old, new))
        if old is None:
            return self.steps.create(new)
        if keys is not None:
            # The reasons of a resource that went ahead of its turn belong to the create alone.
            self._replaced.add(new.urn)
            self.steps.replace(old, new, _SOME)
            return self.steps.create(new, old, Diff(changes=True, replaces=keys))
        if old.external:
            return self._put_in_place(old, new, _SOME, old_stays=True)
        diff = self._diff(old, new)
        if old.pending_replacement or (diff.changes and diff.replaces):
            return self._replace(old, new, diff)
        if diff.changes or old.init_errors:
            return self.steps.update(old, new, diff)
        return self.steps.keep(old, new) if imported else self.steps.same(old, new)

    def _checked(self, old: Resource | None, new: Resource) -> Resource:
        """Let the provider check the inputs, with what the program ignores as it was."""
        inputs = self._wanted[new.urn].inputs
        if old is not None and new.ignore_changes:
            inputs, missed = values.reset_paths(inputs, old.inputs, new.ignore_changes)
            if missed:
                text = "cannot ignore changes in added or removed elements of the path: "
                self.steps.report.message("info", text + ", ".join(missed), new.urn)
        new = new.copy(inputs=inputs)
        checked, failures = self.steps.manager_of(new).check(new, old.inputs if old else {})
        for wrong in failures:
            where = f" in property {wrong.property!r}" if wrong.property else ""
            text = f"{new.type} resource {new.name!r} has a problem{where}: {wrong.reason}"
            self.steps.fail(new.urn, text)
        if failures:
            raise StoppedError(f"{new.urn} has check errors")
        return new.copy(inputs=checked)

    def _reviewed(self, new: Resource) -> Resource:
        """Let the packs change and judge the inputs."""
        inputs, forbidden = self._packs.review(new, self.steps.known(new.provider_urn))
        if forbidden:
            self.steps.failed = True
            # A preview goes on, so that it tells of every violation.
            if not self._preview:
                raise StoppedError(f"{new.urn} violates a mandatory policy")
        return new.copy(inputs=inputs)

    def _diff(self, old: Resource, new: Resource) -> Diff:
        if new.deleted_with and new.deleted_with in self._replaced:
            return Diff(changes=True, replaces=("deletedWith",))
        if self._provider_changed(old, new):
            return Diff(changes=True, replaces=("provider",))
        diff = self.steps.manager_of(new).diff(old, new.inputs, new.ignore_changes)
        return with_forced(diff, new.replace_on_changes)

    def _provider_changed(self, old: Resource, new: Resource) -> bool:
        """Say whether another provider manages the resource now, one that cannot take it over."""
        if old.provider == new.provider:
            return False
        if self._renamed.get(new.provider_urn) == old.provider_urn:
            return False
        before = self.steps.olds.get(old.provider_urn)
        after = self.steps.known(new.provider_urn)
        provider = self.steps.registry.get(new.provider)
        if before is None or after is None or provider is None:
            return True
        return bool(provider.diff(before, after.inputs, (), method="DiffConfig").replaces)

    # -- replacements -------------------------------------------------------------------------

    def _replace(self, old: Resource, new: Resource, diff: Diff) -> Resource:
        if old.protect and new.protect:
            self.steps.fail(new.urn, f'unable to replace resource "{new.urn}"\n{PROTECTED}')
            if not self._preview:
                raise StoppedError(f"{new.urn} is protected")
        if new.import_id:
            raise ProviderError(
                "previously-imported resources that still specify an ID may not be replaced; "
                "please remove the `import` declaration from your program"
            )
        # What was carried over from the old resource, such as its name, does not hold any more.
        new = self._checked(None, new)
        eager = new.delete_before_replace
        eager = diff.delete_before_replace if eager is None else eager
        if not (eager or old.pending_replacement):
            return self._put_in_place(old, new, diff, old_stays=True)
        with self.steps.lock:
            waiting = [r for r in self.steps.olds.values() if r.urn not in self._wanted]
        for dependent, keys in reversed(replaced_with(old, waiting, self.steps)):
            if dependent.protect:
                raise ProviderError(
                    f'unable to replace resource "{dependent.urn}" as part of replacing '
                    f'"{new.urn}"\n{PROTECTED}'
                )
            self._recreating[dependent.urn] = keys
            self.steps.delete_for_replacement(dependent)
        if not old.pending_replacement:
            old = self.steps.delete_for_replacement(old)
        return self._put_in_place(old, new, diff)

    def _put_in_place(
        self, old: Resource, new: Resource, diff: Diff, *, old_stays: bool = False
    ) -> Resource:
        """Create a replacement, before the old resource is deleted (`old_stays`), or after it was.

        The step `replace` comes in between.
        """
        self._replaced.add(new.urn)
        if not old_stays:
            self.steps.replace(old, new, diff)
        created = self.steps.create(new, old, diff, old_stays=old_stays)
        if old_stays:
            self.steps.replace(old, created, diff)
        return created
