"""What an operation does without the program: deletes what is left over, refreshes the rest."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from sandbox.engine import values
from sandbox.engine.providers import Diff, PartialError
from sandbox.engine.state import Resource, now
from sandbox.engine.steps import Steps, StoppedError, with_secrets
from sandbox.stack import Op

_NOT_A_TARGET = (
    "will be destroyed but was not specified in --target list.\n"
    "Either include it in the --target list, or leave out what it depends on."
)


def delete_left_over(steps: Steps) -> None:
    """Delete what the operation has not registered, users of a resource before the resource."""
    done = set(steps.news.values())
    resources = steps.journal.current().resources
    left = [r for r in resources if r not in done and (r.delete or r.urn not in steps.news)]
    reached = _with_users(filter(steps.includes, resources), resources)
    condemned = [resource for resource in left if resource.urn in reached]
    for resource in condemned:
        if not steps.includes(resource):
            steps.fail(resource.urn, f"Resource {resource.urn!r} {_NOT_A_TARGET}")
    if steps.failed and not steps.preview:
        raise StoppedError("what is to stay depends on a target")
    for resource in left:
        if resource.urn not in reached:
            with steps.step(Op.SAME, resource, resource):
                pass
    steps.doomed.update(resource.urn for resource in condemned)
    with ThreadPoolExecutor(max_workers=steps.parallel) as pool:
        for wave in waves(condemned):
            if not all(list(pool.map(steps.delete, wave))):
                raise StoppedError("a delete failed")


def _with_users(roots: Iterable[Resource], resources: Sequence[Resource]) -> set[str]:
    """Return the URNs of resources, and of all that cannot be without them."""
    reached = {resource.urn for resource in roots}
    # A state lists what a resource needs before it; what was just registered comes before the rest.
    for resource in resources:
        if resource.edges & reached:
            reached.add(resource.urn)
    return reached


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
    """Read every resource from its provider, record what it found, forget broken-off creates."""
    resources = [r for r in steps.journal.current().resources if steps.includes(r)]
    with ThreadPoolExecutor(max_workers=steps.parallel) as pool:
        list(pool.map(lambda resource: _refresh(steps, resource), resources))
    steps.journal.forget_creates()


def _refresh(steps: Steps, old: Resource) -> None:
    with steps.failing(old.urn):
        began, op, diff = monotonic(), Op.SAME, Diff(changes=False)
        new, manager = old, steps.manager_of(old)
        if manager.remote and not old.pending_replacement:
            unwell: list[str] = []
            with steps.asking(manager):
                try:
                    identity, inputs, outputs = manager.read(old, old.id)
                except PartialError as error:
                    # It is there: a warning, and the reasons in the state for the next update.
                    identity, inputs, outputs = error.id, error.inputs, error.outputs
                    unwell = error.reasons
                    told = "\n* ".join(["Refreshed resource is in an unhealthy state:", *unwell])
                    steps.report.message("warning", told, old.urn)
            outputs = with_secrets(old, outputs)
            new = old.copy(
                id=identity, inputs=inputs or old.inputs, outputs=outputs, init_errors=unwell
            )
            changed = values.changed_keys(old.outputs, outputs)
            if not identity:
                op = Op.DELETE
                steps.journal.finish(drop=old)
            else:
                diff = Diff(changes=True, changed=changed)
                if not old.external:
                    # What an update would undo: what was wanted, against what was found.
                    undone = manager.diff(new, old.inputs, old.ignore_changes)
                    diff = Diff(changes=undone.changes, changed=undone.changed)
                op = Op.UPDATE if diff.changes and diff.changed else Op.SAME
                if changed or old.init_errors != unwell or new.inputs != old.inputs:
                    steps.journal.finish(swap={old: new.copy(modified=now())})
        steps.report.ended(op, old, new, diff, began=began)
