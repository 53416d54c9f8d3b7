"""The state of a stack on disk, in Pulumi's checkpoint format (version 3), and how it changes.

A `Journal` is what one operation does to the state: it merges what the operation has finished with
what it has not reached yet, and writes the result after every step, so that a process that is
killed has recorded all that it had done and all that it was in the middle of.
"""

import json
import os
import threading
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.engine import values
from sandbox.engine.secrets import Crypter
from sandbox.stack import EngineError

_VERSION = 3
_CAMEL = {
    "resource_type": "type",
    "pending_replacement": "pendingReplacement",
    "additional_secret_outputs": "additionalSecretOutputs",
    "property_dependencies": "propertyDependencies",
    "custom_timeouts": "customTimeouts",
    "import_id": "importID",
    "retain_on_delete": "retainOnDelete",
    "init_errors": "initErrors",
    "ignore_changes": "ignoreChanges",
    "replace_on_changes": "replaceOnChanges",
    "deleted_with": "deletedWith",
}


@dataclass(kw_only=True, eq=False)
class Resource:
    """One resource of the state, by Pulumi's own names; `extra` keeps what this engine ignores."""

    urn: str
    resource_type: str
    custom: bool
    delete: bool = False
    id: str = ""
    inputs: values.Properties = field(default_factory=dict)
    outputs: values.Properties = field(default_factory=dict)
    parent: str = ""
    protect: bool = False
    external: bool = False
    dependencies: list[str] = field(default_factory=list)
    init_errors: list[str] = field(default_factory=list)
    provider: str = ""
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    pending_replacement: bool = False
    additional_secret_outputs: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    custom_timeouts: dict[str, float] = field(default_factory=dict)
    import_id: str = ""
    retain_on_delete: bool = False
    deleted_with: str = ""
    created: str = ""
    modified: str = ""
    ignore_changes: list[str] = field(default_factory=list)
    replace_on_changes: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The resource's own name."""
        return self.urn.split("::", 3)[-1]

    @property
    def edges(self) -> set[str]:
        """URNs of everything that must exist before this resource and outlive it."""
        found = {self.parent, self.deleted_with, *self.dependencies}
        found.update(*self.property_dependencies.values())
        found.add(self.provider.rpartition("::")[0])
        return found - {""}

    def copy(self, **changes: Any) -> "Resource":
        """Return another state of the same resource."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Give the checkpoint's form; what is empty is left out."""
        result: dict[str, Any] = {"urn": self.urn, "custom": self.custom}
        for key in _FIELDS:
            if value := getattr(self, key):
                result[_CAMEL.get(key, key)] = value
        return {**result, **self.extra}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Resource":
        """Read the checkpoint's form; raise `KeyError` or `TypeError` where it is not one."""
        known = {_CAMEL.get(key, key): key for key in _FIELDS}
        given = {known[key]: value for key, value in data.items() if key in known}
        extra = {k: v for k, v in data.items() if k not in known and k not in {"urn", "custom"}}
        return cls(urn=data["urn"], custom=data["custom"], **given, extra=extra)


_FIELDS = [f.name for f in fields(Resource) if f.name not in {"urn", "custom", "extra"}]


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """Everything that a checkpoint says about a stack, secrets in clear."""

    resources: tuple[Resource, ...] = ()
    pending: tuple[tuple[str, Resource], ...] = ()


def stack_outputs(deployment: Deployment) -> values.Properties:
    """Return what the stack exports."""
    for resource in deployment.resources:
        if resource.resource_type == "pulumi:pulumi:Stack" and not resource.delete:
            return resource.outputs
    return {}


def now() -> str:
    """Return the time as checkpoints write it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def to_deployment(deployment: Deployment, crypter: Crypter) -> dict[str, Any]:
    """Give the `deployment` of `pulumi stack export`, secrets encrypted."""
    document: dict[str, Any] = {
        "manifest": {"time": now(), "magic": "", "version": ""},
        "resources": [_sealed(resource, crypter) for resource in deployment.resources],
        "metadata": {},
    }
    if deployment.pending:
        document["pending_operations"] = [
            {"resource": _sealed(resource, crypter), "type": kind}
            for kind, resource in deployment.pending
        ]
    if crypter.used:
        document["secrets_providers"] = {"type": "passphrase", "state": {"salt": crypter.salt}}
    return document


def from_deployment(data: Any, crypter: Crypter) -> Deployment:
    """Read a `deployment`; raise `EngineError` naming what is wrong with it."""
    try:
        provider = data.get("secrets_providers") or {}
        if provider and provider.get("type") != "passphrase":
            raise EngineError(
                f"the state's secrets are encrypted by {provider.get('type')!r}; "
                "the sandbox reads those of a passphrase only"
            )
        salt = provider.get("state", {}).get("salt")
        reader = crypter.for_salt(salt) if salt else crypter
        resources = tuple(_opened(item, reader) for item in data.get("resources") or ())
        pending = tuple(
            (item["type"], _opened(item["resource"], reader))
            for item in data.get("pending_operations") or ()
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise EngineError(f"the state is not a Pulumi deployment: {error!r}") from error
    _verify(resources)
    return Deployment(resources=resources, pending=pending)


def _verify(resources: Iterable[Resource]) -> None:
    seen: set[str] = set()
    live: set[str] = set()
    for resource in resources:
        if resource.urn.count("::") < 3 or not resource.urn.startswith("urn:pulumi:"):
            raise EngineError(f"the state was edited: {resource.urn!r} is not a URN")
        for edge in sorted(resource.edges - seen):
            raise EngineError(
                f"the state was edited: {resource.urn} refers to {edge}, "
                "which is missing or comes after it"
            )
        if resource.urn in live and not resource.delete:
            raise EngineError(f"the state was edited: {resource.urn} is there twice")
        seen.add(resource.urn)
        if not resource.delete:
            live.add(resource.urn)


def _sealed(resource: Resource, crypter: Crypter) -> dict[str, Any]:
    def change(part: Any) -> Any:
        if values.signature(part) != values.SECRET:
            return part
        ciphertext = crypter.encrypt(json.dumps(part["value"], separators=(",", ":")))
        return {values.SIGNATURE: values.SECRET, "ciphertext": ciphertext}

    data = resource.to_json()
    for key in ("inputs", "outputs"):
        if key in data and values.has_secret(data[key]):
            data[key] = values.transform(data[key], change)
    return data


def _opened(data: dict[str, Any], crypter: Crypter) -> Resource:
    def change(part: Any) -> Any:
        if values.signature(part) != values.SECRET:
            return part
        text = crypter.decrypt(part["ciphertext"]) if "ciphertext" in part else part["plaintext"]
        return values.secret(json.loads(text))

    resource = Resource.from_json(data)
    resource.inputs = values.transform(resource.inputs, change)
    resource.outputs = values.transform(resource.outputs, change)
    return resource


class StateFile:
    """A stack's checkpoint file; the one before the last operation stays beside it as `.bak`."""

    def __init__(self, path: Path, stack: str, crypter: Crypter) -> None:
        self.path = path
        self._stack = stack
        self._crypter = crypter
        self._lines: weakref.WeakKeyDictionary[Resource, bytes] = weakref.WeakKeyDictionary()

    @property
    def backup(self) -> Path:
        """The last state that an operation began from."""
        return self.path.with_suffix(".json.bak")

    def load(self) -> Deployment:
        """Read the state; a stack without a file is empty."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Deployment()
        try:
            document = json.loads(text)
            version, latest = document["version"], document["checkpoint"].get("latest")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(f"it is not a checkpoint ({error})") from error
        if version != _VERSION:
            raise self._damaged(f"it has version {version!r}, this engine reads {_VERSION}")
        if not latest:
            return Deployment()
        try:
            return from_deployment(latest, self._crypter)
        except EngineError as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, reason: str) -> EngineError:
        kept = f"; the one before is {self.backup}" if self.backup.exists() else ""
        return EngineError(f"the state file {self.path} cannot be used: {reason}{kept}")

    def keep_backup(self) -> None:
        """Put a copy of the state beside it, before the first change of an operation."""
        if self.path.exists():
            self._put(self.backup, self.path.read_bytes())

    def write(self, deployment: Deployment) -> None:
        """Put a state in the place of the one before, in one move."""
        # One line a resource: easy to read, and only what is new is rendered.
        lines = b",\n".join([self._line(resource) for resource in deployment.resources])
        head = to_deployment(Deployment(pending=deployment.pending), self._crypter)
        del head["resources"]
        name, rest = json.dumps(self._stack), json.dumps(head)[:-1]
        start = f'{{"version": {_VERSION}, "checkpoint": {{"stack": {name}, "latest": {rest}'
        parts = (start.encode(), b', "resources": [\n', lines, b"\n]}}}\n")
        self._put(self.path, b"".join(parts))

    def _put(self, path: Path, content: bytes) -> None:
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(content)
            draft.replace(path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise EngineError(f"cannot write the state {path}: {error.strerror}") from error

    def _line(self, resource: Resource) -> bytes:
        line = self._lines.get(resource)
        if line is None:
            line = self._lines[resource] = json.dumps(_sealed(resource, self._crypter)).encode()
        return line


class Journal:
    """What one operation does to a state. States are never changed in place, only replaced.

    Every method may be called from any thread. A method returns when the file holds what it was
    told; calls that wait for one another share a write. A preview has a journal without a file.
    """

    def __init__(self, file: StateFile | None, before: Deployment) -> None:
        self._file = file
        self._base = dict.fromkeys(before.resources)
        self._news: dict[Resource, None] = {}
        # A create that was broken off needs a person to look; what else was pending is done anew.
        self._kept = [op for op in before.pending if op[0] == "creating"]
        self._pending: dict[Resource, str] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wanted = self._written = 0
        self._changed = len(self._kept) != len(before.pending)

    def begin(self, operation: str, resource: Resource) -> None:
        """Record that a provider is about to be asked for something."""
        with self._lock:
            self._pending[resource] = operation
        self._save()

    def finish(
        self,
        began: Resource | None = None,
        *,
        add: Iterable[Resource] = (),
        drop: Iterable[Resource] = (),
        swap: Mapping[Resource, Resource] | None = None,
        write: bool = True,
    ) -> None:
        """Record what a step did: resources that are new, gone, or in another state."""
        with self._lock:
            if began is not None:
                self._pending.pop(began, None)
            for resource in drop:
                self._base.pop(resource, None)
                self._news.pop(resource, None)
            self._news.update(dict.fromkeys(add))
            for old, new in (swap or {}).items():
                for group in (self._base, self._news):
                    if old in group:
                        items = [new if item is old else item for item in group]
                        group.clear()
                        group.update(dict.fromkeys(items))
            self._changed = self._changed or write
        if write:
            self._save()

    def rename(self, old: str, new: str) -> dict[Resource, Resource]:
        """Let what is not reached yet refer to a resource by its new URN; return what changed."""
        with self._lock:
            swap = {item: _renamed(item, old, new) for item in self._base if old in item.edges}
            self._base = dict.fromkeys(swap.get(item, item) for item in self._base)
            return swap

    def current(self) -> Deployment:
        """Return the state as it is now."""
        with self._lock:
            pending = [(kind, resource) for resource, kind in self._pending.items()]
            resources = (*self._news, *self._base)
            return Deployment(resources=resources, pending=(*self._kept, *pending))

    def close(self, *, forget_creates: bool = False) -> None:
        """Write what is not written yet."""
        if forget_creates and self._kept:
            self._kept, self._changed = [], True
        if self._changed:
            self._save()

    def _save(self) -> None:
        if self._file is None:
            return
        with self._lock:
            self._wanted += 1
            ticket = self._wanted
        with self._writing:
            if self._written >= ticket:
                return
            with self._lock:
                reached = self._wanted
            self._file.write(self.current())
            self._written = reached


def _renamed(resource: Resource, old: str, new: str) -> Resource:
    def swapped(urn: str) -> str:
        return new if urn == old else urn

    urn, _, provider_id = resource.provider.rpartition("::")
    return resource.copy(
        parent=swapped(resource.parent),
        dependencies=[swapped(urn) for urn in resource.dependencies],
        property_dependencies={
            key: [swapped(urn) for urn in urns]
            for key, urns in resource.property_dependencies.items()
        },
        deleted_with=swapped(resource.deleted_with),
        provider=f"{swapped(urn)}::{provider_id}" if urn else "",
    )
