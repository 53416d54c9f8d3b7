"""What one operation does to a stack's state, on disk at every moment.

It merges what the operation has finished with what it has not reached yet, and writes the result
around every step, so that a process that is killed has recorded all that it had done and all that
it was in the middle of.
"""

import threading
from collections.abc import Iterable, Mapping

from sandbox.engine.checkpoint import StateFile
from sandbox.engine.state import Resource, Snapshot


class Journal:
    """States are never changed in place, only replaced.

    Every method may be called from any thread. A method returns when the file holds what it was
    told; calls that wait for one another share a write. A preview has a journal without a file.
    """

    def __init__(self, file: StateFile | None, before: Snapshot) -> None:
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
        drop: Resource | None = None,
        swap: Mapping[Resource, Resource] | None = None,
        write: bool = True,
    ) -> None:
        """Record what a step did: resources that are new, gone, or in another state."""
        with self._lock:
            if began is not None:
                self._pending.pop(began, None)
            if drop is not None:
                self._base.pop(drop, None)
                self._news.pop(drop, None)
            self._news.update(dict.fromkeys(add))
            if swap:
                self._base = dict.fromkeys(swap.get(item, item) for item in self._base)
                self._news = dict.fromkeys(swap.get(item, item) for item in self._news)
            self._changed = self._changed or write
        if write:
            self._save()

    def rename(self, old: str, new: str) -> dict[Resource, Resource]:
        """Let what is not reached yet refer to a resource by its new URN; return what changed."""
        with self._lock:
            swap = {item: _renamed(item, old, new) for item in self._base if old in item.edges}
            self._base = dict.fromkeys(swap.get(item, item) for item in self._base)
            return swap

    def current(self) -> Snapshot:
        """Return the state as it is now."""
        with self._lock:
            pending = [(kind, resource) for resource, kind in self._pending.items()]
            resources = (*self._news, *self._base)
            return Snapshot(resources=resources, pending=(*self._kept, *pending))

    def forget_creates(self) -> None:
        """Let go of creates that were broken off before this operation."""
        self._changed = self._changed or bool(self._kept)
        self._kept = []

    def close(self) -> None:
        """Write what is not written yet."""
        if self._changed:
            self._save()

    def _save(self) -> None:
        if self._file is None:
            return
        with self._lock:
            self._wanted += 1
            ticket = self._wanted
        with self._writing:
            if self._written < ticket:
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
            key: [swapped(urn) for urn in urns or ()]
            for key, urns in resource.property_dependencies.items()
        },
        deleted_with=swapped(resource.deleted_with),
        provider=f"{swapped(urn)}::{provider_id}" if urn else "",
    )
