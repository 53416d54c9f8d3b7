"""Who manages a resource: a provider; for providers, which are resources too, the registry.

A provider is registered, checked, diffed and kept in the state like any other resource; only that
its create is the configuration of a plugin. `Registry` plays the provider of all of them, and
`Components` that of what exists in the state alone. `remote` says whether calls leave the engine.
"""

import threading
import uuid
from collections.abc import Sequence

from sandbox.engine import values
from sandbox.engine.plugins import Host
from sandbox.engine.providers import Diff, Failures, Provider, ProviderError
from sandbox.engine.state import PROVIDER_PREFIX, Resource

_INTERNAL = "__internal"


class Components:
    """Plays the provider of components and of the stack: their outputs are the program's affair."""

    remote = False

    def check(self, new: Resource, olds: values.Properties) -> tuple[values.Properties, Failures]:
        """Accept everything."""
        del olds
        return new.inputs, []

    def diff(self, old: Resource, new: values.Properties, ignore: Sequence[str]) -> Diff:
        """Compare inputs."""
        del ignore
        return Diff(changes=bool(values.changed_keys(old.inputs, new)))

    def create(self, new: Resource) -> tuple[str, values.Properties]:
        """Begin without outputs."""
        del new
        return "", {}

    def update(self, old: Resource, new: Resource) -> values.Properties:
        """Keep the outputs until the program says others."""
        del new
        return old.outputs

    def delete(self, old: Resource) -> None:
        """Do nothing: there is nothing outside the state."""

    def read(
        self, resource: Resource, identity: str
    ) -> tuple[str, values.Properties, values.Properties]:
        """Refuse: there is nothing to read."""
        raise ProviderError(f"{resource.type} {resource.name!r} cannot be read ({identity})")


class Registry(Components):
    """The configured providers of one operation, by reference."""

    def __init__(self, host: Host, *, preview: bool) -> None:
        self.require = host.require
        self._preview = preview
        self._host = host
        self._checked: dict[str, Provider] = {}
        self._configured: dict[str, Provider] = {}
        self._loading = threading.Lock()

    def get(self, reference: str) -> Provider | None:
        """Return a provider that is configured."""
        return self._configured.get(reference)

    def ensure(self, state: Resource) -> Provider:
        """Return the provider that a state describes, configured as it says."""
        with self._loading:
            return self.get(state.reference) or self._configure(state)

    def _open(self, state: Resource) -> Provider:
        channel = self._host.open(state.type.removeprefix(PROVIDER_PREFIX))
        return Provider(channel, preview=self._preview)

    def _configure(self, state: Resource) -> Provider:
        provider = self._checked.pop(state.urn, None) or self._open(state)
        provider.configure(_plain(state))
        self._configured[state.reference] = provider
        return provider

    def check(self, new: Resource, olds: values.Properties) -> tuple[values.Properties, Failures]:
        """Check a configuration; the engine's own keys come back whatever the provider does."""
        provider = self._checked[new.urn] = self._open(new)
        inputs, failures = provider.check(_plain(new), olds, method="CheckConfig")
        own = {key: new.inputs[key] for key in (_INTERNAL, "version") if key in new.inputs}
        return {**inputs, **own}, failures

    def diff(self, old: Resource, new: values.Properties, ignore: Sequence[str]) -> Diff:
        """Compare configurations."""
        provider = self._checked.get(old.urn) or self.ensure(old)
        after = _plain(old.copy(inputs=new)).inputs
        return provider.diff(_plain(old), after, ignore, method="DiffConfig")

    def create(self, new: Resource) -> tuple[str, values.Properties]:
        """Configure a new provider."""
        identity = values.UNKNOWN if self._preview else str(uuid.uuid4())
        self._configure(new.copy(id=identity))
        return identity, _plain(new).inputs

    def update(self, old: Resource, new: Resource) -> values.Properties:
        """Configure a provider anew under the id that it has."""
        self._configure(new.copy(id=old.id))
        return _plain(new).inputs


def _plain(state: Resource) -> Resource:
    return state.copy(inputs={k: v for k, v in state.inputs.items() if k != _INTERNAL})


Manager = Provider | Components
COMPONENTS = Components()
