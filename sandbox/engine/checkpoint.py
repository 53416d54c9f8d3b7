"""The state of a stack on disk, in Pulumi's checkpoint format (version 3)."""

import json
import os
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from sandbox.engine import values
from sandbox.engine.secrets import Crypter
from sandbox.engine.state import FIELDS, Resource, Snapshot, now
from sandbox.stack import EngineError


def to_deployment(snapshot: Snapshot, crypter: Crypter) -> dict[str, Any]:
    """Give the `deployment` of `pulumi stack export`, secrets encrypted."""
    document: dict[str, Any] = {
        "manifest": {"time": now(), "magic": "", "version": ""},
        "resources": [_sealed(resource, crypter) for resource in snapshot.resources],
        "metadata": {},
    }
    if snapshot.pending:
        document["pending_operations"] = [
            {"resource": _sealed(resource, crypter), "type": kind}
            for kind, resource in snapshot.pending
        ]
    if crypter.used:
        document["secrets_providers"] = {"type": "passphrase", "state": {"salt": crypter.salt}}
    return document


def from_deployment(data: Any, crypter: Crypter) -> Snapshot:
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
    except (KeyError, TypeError, AttributeError, msgspec.ValidationError) as error:
        raise EngineError(f"the state is not a Pulumi deployment: {error!r}") from error
    _verify(resources)
    return Snapshot(resources=resources, pending=pending)


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
        if values.has_secret(data.get(key)):
            data[key] = values.transform(data[key], change)
    return data


def _opened(data: dict[str, Any], crypter: Crypter) -> Resource:
    def change(part: Any) -> Any:
        if values.signature(part) != values.SECRET:
            return part
        text = crypter.decrypt(part["ciphertext"]) if "ciphertext" in part else part["plaintext"]
        return values.secret(json.loads(text))

    extra = {key: value for key, value in data.items() if key not in FIELDS}
    known = {key: value for key, value in data.items() if key in FIELDS and value is not None}
    for key in ("inputs", "outputs"):
        known[key] = values.transform(known.get(key, {}), change)
    return msgspec.convert({**known, "extra": extra}, Resource)


class StateFile:
    """A stack's checkpoint file; the one before the last operation stays beside it as `.bak`."""

    def __init__(self, path: Path, stack: str, crypter: Crypter) -> None:
        self.path = path
        self._stack = stack
        self._crypter = crypter
        self._lines = weakref.WeakKeyDictionary[Resource, msgspec.Raw]()

    @property
    def backup(self) -> Path:
        """The last state that an operation began from."""
        return self.path.with_suffix(".json.bak")

    @property
    def lock(self) -> Path:
        """The file by which operations on the stack exclude each other."""
        return self.path.with_suffix(".lock")

    def load(self) -> Snapshot:
        """Read the state; a stack without a file is empty."""
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
            version, latest = document["version"], document["checkpoint"].get("latest")
            if version != 3:
                raise EngineError(f"it has version {version!r}, this engine reads 3")
            return from_deployment(latest, self._crypter) if latest else Snapshot()
        except FileNotFoundError:
            return Snapshot()
        except EngineError as error:
            reason = str(error)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"it is not a checkpoint ({error})"
        kept = f"; the one before is {self.backup}" if self.backup.exists() else ""
        raise EngineError(f"the state file {self.path} cannot be used: {reason}{kept}")

    def keep_backup(self) -> None:
        """Put a copy of the state beside it, before the first change of an operation."""
        if self.path.exists():
            self._put(self.backup, self.path.read_bytes())

    def write(self, snapshot: Snapshot) -> None:
        """Put a state in the place of the one before, in one move."""
        # One line a resource: easy to read, and only what is new is rendered.
        latest = to_deployment(Snapshot(pending=snapshot.pending), self._crypter)
        latest["resources"] = [self._line(resource) for resource in snapshot.resources]
        checkpoint = {"stack": self._stack, "latest": latest}
        self._put(self.path, msgspec.json.encode({"version": 3, "checkpoint": checkpoint}))

    def _put(self, path: Path, content: bytes) -> None:
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(content)
            draft.replace(path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise EngineError(f"cannot write the state {path}: {error.strerror}") from error

    def _line(self, resource: Resource) -> msgspec.Raw:
        line = self._lines.get(resource)
        if line is None:
            rendered = b"\n" + msgspec.json.encode(_sealed(resource, self._crypter))
            line = self._lines[resource] = msgspec.Raw(rendered)
        return line
