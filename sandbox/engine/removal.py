"""What an operation does without the program: deletes what is left over, refreshes the rest."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from sandbox.engine import values
from sandbox.engine.checkpoint import Resource, now
from sandbox.engine.goals import PROVIDER_PREFIX
from sandbox.engine.registry import Registry
from sandbox.engine.steps import Steps, StoppedError, with_secrets
from sandbox.stack import Op, Step


def delete_left_over(steps: Steps) -> None:
    """Delete what the operation has not registered, users of a resource before the resource."""
    done = set(steps.news.values())
    condemned = [
        resource
        for resource in steps.journal.current().resources
        if resource not in done
        and (resource.delete or resource.urn not in steps.news)
        and steps.options.includes(resource)
    ]
    steps.doomed.update(resource.urn for resource in condemned)
    for wave in waves(condemned):
        with ThreadPoolExecutor(max_workers=steps.options.parallel) as pool:
            results = [pool.submit(steps.delete, resource) for resource in wave]
        if not all([result.result() for result in results]):  # noqa: C419  (all are to be asked)
            raise StoppedError("a delete failed")


def waves(condemned: Iterable[Resource]) -> list[list[Resource]]:
    """Group deletes so that whatever refers to a resource goes before it does."""
    left = list(dict.fromkeys(condemned))
    found: list[list[Resource]] = []
    while left:
        needed = {edge for resource in left for edge in resource.edges - {resource.urn}}
        free = [resource for resource in left if resource.urn not in needed]
        # Two states of one URN may be in each other's way; the order of the state decides then.
        found.append(free or [left[-1]])
        gone = set(found[-1])
        left = [resource for resource in left if resource not in gone]
    return found


def refresh(steps: Steps) -> None:
    """Read every resource from its provider and record what it found."""
    resources = [r for r in steps.journal.current().resources if steps.options.includes(r)]
    for resource in resources:
        if resource.resource_type.startswith(PROVIDER_PREFIX):
            steps.registry.ensure(resource)
    with ThreadPoolExecutor(max_workers=steps.options.parallel) as pool:
        results = [pool.submit(_refresh, steps, resource) for resource in resources]
    for result in results:
        result.result()


def _refresh(steps: Steps, old: Resource) -> None:
    with steps.failing(old.urn):
        began = monotonic()
        managed = old.custom and not old.pending_replacement
        manager = steps.manager_of(old) if managed else steps.registry
        if isinstance(manager, Registry):
            identity, inputs, outputs = "itself", old.inputs, old.outputs
        else:
            identity, inputs, outputs = steps.call(manager.read, old, old.id)
        new = old.copy(id=identity, inputs=inputs or old.inputs, outputs=with_secrets(old, outputs))
        changed = values.changed_keys(old.outputs, new.outputs)
        differs = bool(changed) or old.inputs != new.inputs
        if not old.external and identity and not isinstance(manager, Registry):
            # What counts is what an update would undo: what was wanted, against what was found.
            diff = steps.call(manager.diff, new, old.inputs, tuple(old.ignore_changes))
            changed = diff.changed if diff.changes else ()
        op = Op.UPDATE if changed else Op.SAME
        if not identity:
            op = Op.DELETE
            steps.journal.finish(drop=[old])
        elif differs:
            steps.journal.finish(swap={old: new.copy(modified=now())})
        told = Step(
            op=op,
            urn=old.urn,
            type=old.resource_type,
            changed=changed if op is Op.UPDATE else (),
            duration=monotonic() - began,
        )
        steps.report.step(told, old, new)
