"""`BuiltinEngine`: the operations, each of them one deployment over one state."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any

from sandbox.engine import checkpoint, lock, program, removal, values
from sandbox.engine.checkpoint import StateFile
from sandbox.engine.deployment import Deployment
from sandbox.engine.display import print_document
from sandbox.engine.journal import Journal
from sandbox.engine.monitor import Monitor
from sandbox.engine.plugins import PLUGINS, Host, Plugin
from sandbox.engine.policy import Packs
from sandbox.engine.project import Project, load_project
from sandbox.engine.references import References
from sandbox.engine.registry import Registry
from sandbox.engine.report import Report
from sandbox.engine.state import PROVIDER_PREFIX, Snapshot
from sandbox.engine.steps import Steps, StoppedError
from sandbox.stack import EngineError, Request, Result, Stack

Work = Callable[[Deployment], None]


class BuiltinEngine:
    """Runs programs in this process; see `sandbox.stack.Engine` for the operations.

    `plugins` adds providers, by package, to those of the sandbox.
    """

    name = "builtin"

    def __init__(self, plugins: Mapping[str, Plugin] | None = None) -> None:
        self._plugins = {**PLUGINS, **(plugins or {})}

    def preview(self, stack: Stack, request: Request) -> Result:
        """Say what `up` would do, without doing it."""
        return self._operate(stack, request, "preview", _run_program)

    def up(self, stack: Stack, request: Request) -> Result:
        """Bring the stack to what its program says."""
        return self._operate(stack, request, "update", _run_program)

    def refresh(self, stack: Stack, request: Request) -> Result:
        """Bring the state to what the provider finds; forget creates that were broken off."""
        return self._operate(stack, request, "refresh", lambda d: removal.refresh(d.steps))

    def destroy(self, stack: Stack, request: Request) -> Result:
        """Delete every resource of the stack, or those that are targeted."""
        return self._operate(stack, request, "destroy", lambda d: removal.delete_left_over(d.steps))

    def outputs(self, stack: Stack, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the stack's outputs; a secret reads `[secret]` unless shown."""
        found = _state_file(stack, load_project(stack)).load().outputs
        return values.reveal(found) if show_secrets else values.redact(found)

    def export(self, stack: Stack) -> dict[str, Any]:
        """Return the state in the form of `pulumi stack export`."""
        project = load_project(stack)
        snapshot = _state_file(stack, project).load()
        return {"version": 3, "deployment": checkpoint.to_deployment(snapshot, project.crypter)}

    def import_(self, stack: Stack, deployment: Mapping[str, Any]) -> None:
        """Replace the state by one that `export` or `pulumi stack export` gave."""
        project = load_project(stack)
        file = _state_file(stack, project)
        if deployment.get("version") != 3:
            raise EngineError(f"cannot import version {deployment.get('version')!r} of the state")
        snapshot = checkpoint.from_deployment(deployment.get("deployment"), project.crypter)
        prefix = f"urn:pulumi:{stack.name}::{project.name}::"
        for resource in snapshot.resources:
            if not resource.urn.startswith(prefix):
                raise EngineError(f"{resource.urn} is not of the stack {stack.name!r}")
        with lock.held(file.lock, "import"):
            file.keep_backup()
            file.write(snapshot)

    def cancel(self, stack: Stack) -> str:
        """Return who holds the lock. Nothing needs taking away: it goes with its process."""
        return lock.holder(_state_file(stack, load_project(stack)).lock)

    def _operate(self, stack: Stack, request: Request, operation: str, work: Work) -> Result:
        report = Report(request, operation, stack.name)
        ok, outputs = False, {}
        try:
            ok, outputs = self._run(stack, request, operation, work, report)
        except StoppedError:
            pass
        except EngineError as error:
            report.message("error", str(error))
        result = report.close(ok=ok, outputs=outputs)
        if request.json:
            print_document(result, sys.stdout)
        return result

    def _run(
        self, stack: Stack, request: Request, operation: str, work: Work, report: Report
    ) -> tuple[bool, values.Properties]:
        """Put together what an operation needs, do its work, and take everything down again."""
        preview = operation == "preview"
        project = load_project(stack)
        file = _state_file(stack, project)
        references = Plugin(servicer=lambda: References(stack.home, project.name))
        plugins = {**self._plugins, "pulumi": references}
        if operation in {"refresh", "destroy"}:
            request = replace(request, policy_packs=(), policy_pack_configs=())
        with contextlib.ExitStack() as until_done:
            if not preview:
                until_done.enter_context(lock.held(file.lock, operation))
            before = file.load()
            if not preview:
                file.keep_backup()
            journal = Journal(None if preview else file, before)
            until_done.callback(journal.close)
            _warn_of_pending(before, report)
            packs = Packs(request, project, report, preview=preview)
            until_done.callback(packs.close)
            host = Host(plugins, project, report.line)
            until_done.callback(host.close)
            # Their processes start while this one imports the program.
            for package in _packages(before, project):
                host.prepare(package)
            registry = Registry(host, preview=preview)
            steps = Steps(journal, registry, report, request, preview=preview)
            until_done.enter_context(program.surroundings(project))
            until_done.enter_context(_interrupts(steps, host, report))
            work(Deployment(project, steps, packs))
            return not steps.failed, journal.current().outputs


def _run_program(deployment: Deployment) -> None:
    steps = deployment.steps
    if not program.run(deployment.project, Monitor(deployment), steps):
        steps.failed = True
    elif steps.preview or not steps.failed:
        removal.delete_left_over(steps)
        steps.stop_if_cancelled()
        deployment.review_stack()


def _state_file(stack: Stack, project: Project) -> StateFile:
    path = stack.home / "state" / project.name / f"{stack.name}.json"
    return StateFile(path, f"organization/{project.name}/{stack.name}", project.crypter)


def _packages(before: Snapshot, project: Project) -> list[str]:
    """Name the providers that will be needed, as far as state and configuration tell."""
    known = [r.type.removeprefix(PROVIDER_PREFIX) for r in before.resources if r.is_provider]
    return list(dict.fromkeys([*known, *(key.split(":", 1)[0] for key in project.config)]))


def _warn_of_pending(before: Snapshot, report: Report) -> None:
    if before.pending:
        listed = [f"  * {each.urn}, interrupted while {kind}" for kind, each in before.pending]
        report.message(
            "warning",
            f"Attempting to deploy or update resources with {len(before.pending)} pending "
            "operations from previous deployment.\n" + "\n".join(listed) + "\n"
            "These resources are in an unknown state because the engine was interrupted while "
            "waiting for changes to these resources to complete. Confirm whether the operations "
            "completed; a refresh forgets those that were creating.",
        )


@contextlib.contextmanager
def _interrupts(steps: Steps, host: Host, report: Report) -> Generator[None]:
    """Let the first Ctrl-C end the operation in order, and the second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received = 0

    def handle(signum: int, frame: Any) -> None:
        nonlocal received
        del signum, frame
        received += 1
        steps.failed = True
        if received == 1:
            steps.cancel()
            host.cancel()
            print("^C received; cancelling. Press ^C again to stop at once.", file=sys.stderr)
        elif received == 2:
            host.close()
        else:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if received:
            report.message("error", "the operation was cancelled")
