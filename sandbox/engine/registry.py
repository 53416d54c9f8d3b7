"""Providers as resources: the default ones, the explicit ones, and what each of them manages.

A provider is registered, checked, diffed and kept in the state like any other resource; only that
its create is the configuration of a plugin. `Registry` plays the provider of all of them.
"""

import threading
import uuid

from sandbox.engine import values
from sandbox.engine.checkpoint import Resource
from sandbox.engine.goals import PROVIDER_PREFIX
from sandbox.engine.providers import Diff, Host, Once, Provider, ProviderError

_INTERNAL = "__internal"


def default_name(version: str) -> str:
    """Name a default provider as the CLI does: `default_7_51_1`."""
    return f"default_{version.replace('.', '_')}" if version else "default"


def split_reference(reference: str) -> tuple[str, str]:
    """Split `<urn>::<id>`."""
    urn, _, identity = reference.rpartition("::")
    return urn, identity


class Registry:
    """The configured providers of one operation, by reference."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._checked: dict[str, Provider] = {}
        self._configured: dict[str, Provider] = {}
        self._loading = Once()

    def require(self, package: str) -> None:
        """Raise `NoProviderError` for a package that nothing here serves."""
        self._host.require(package)

    def get(self, reference: str) -> Provider | None:
        """Return a provider that is configured."""
        with self._lock:
            return self._configured.get(reference)

    def ensure(self, state: Resource) -> Provider:
        """Return the provider that a state describes, configured as it says."""

        def load() -> Provider:
            with self._lock:
                provider = self._checked.pop(state.urn, None)
            return self._configure(state.urn, state.id, state.inputs, provider)

        reference = f"{state.urn}::{state.id}"
        return self.get(reference) or self._loading.get(reference, load)

    def _configure(
        self, urn: str, identity: str, inputs: values.Properties, provider: Provider | None
    ) -> Provider:
        provider = provider or self._host.open(_package(urn))
        provider.configure(urn, _plain(inputs))
        with self._lock:
            self._configured[f"{urn}::{identity}"] = provider
        return provider

    def check(
        self, urn: str, old: values.Properties, new: values.Properties, seed: bytes
    ) -> tuple[values.Properties, list[tuple[str, str]]]:
        """Check a configuration; the engine's own keys come back whatever the provider does."""
        del seed
        provider = self._host.open(_package(urn))
        try:
            inputs, failures = provider.check_config(urn, _plain(old), _plain(new))
        except NotImplementedError:
            inputs, failures = _plain(new), []
        with self._lock:
            self._checked[urn] = provider
        own = {key: new[key] for key in (_INTERNAL, "version") if key in new}
        return {**inputs, **own}, failures

    def diff(self, old: Resource, new: values.Properties, ignore: tuple[str, ...]) -> Diff:
        """Compare configurations; by themselves where the provider has no opinion."""
        with self._lock:
            provider = self._checked.get(old.urn)
        plain = old.copy(inputs=_plain(old.inputs))
        if provider is not None:
            try:
                return provider.diff_config(plain, _plain(new))
            except NotImplementedError:
                pass
        kept, _ = values.reset_paths(_plain(new), plain.inputs, ignore)
        changed = values.changed_keys(plain.inputs, kept)
        return Diff(changes=bool(changed), changed=changed)

    def create(self, new: Resource, *, preview: bool) -> tuple[str, values.Properties]:
        """Configure a new provider."""
        identity = values.UNKNOWN if preview else str(uuid.uuid4())
        with self._lock:
            provider = self._checked.pop(new.urn, None)
        self._configure(new.urn, identity, new.inputs, provider)
        return identity, _plain(new.inputs)

    def update(self, old: Resource, new: Resource, *, preview: bool) -> values.Properties:
        """Configure a provider anew under the id that it has."""
        del preview
        with self._lock:
            provider = self._checked.pop(new.urn, None)
        self._configure(new.urn, old.id, new.inputs, provider)
        return _plain(new.inputs)

    def delete(self, old: Resource) -> None:
        """Forget a provider; there is nothing outside the state."""

    def read(
        self, resource: Resource, identity: str
    ) -> tuple[str, values.Properties, values.Properties]:
        """Refuse: a provider is nowhere but in the state."""
        raise ProviderError(f"the provider {resource.name} cannot be read ({identity})")


def _package(urn: str) -> str:
    return urn.split("::")[2].rsplit("$", 1)[-1].removeprefix(PROVIDER_PREFIX)


def _plain(inputs: values.Properties) -> values.Properties:
    return {key: value for key, value in inputs.items() if key != _INTERNAL}


Manager = Provider | Registry
