"""`BuiltinEngine`: the operations, each of them one deployment over one state."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

from sandbox.engine import checkpoint, display, lock, program, removal, values
from sandbox.engine.checkpoint import Journal, StateFile
from sandbox.engine.deployment import Deployment
from sandbox.engine.goals import PROVIDER_PREFIX
from sandbox.engine.monitor import Monitor
from sandbox.engine.plugins import Plugin, surroundings
from sandbox.engine.policy import Pack, Packs
from sandbox.engine.project import Project, load_project
from sandbox.engine.providers import PLUGINS, Host
from sandbox.engine.references import References
from sandbox.engine.registry import Registry
from sandbox.engine.report import Reporter
from sandbox.engine.steps import Options, Steps, StoppedError
from sandbox.stack import EngineError, Request, Result, Stack


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
        request = replace(request, policy_packs=(), policy_pack_configs=())
        return self._operate(stack, request, "refresh", lambda d, *_: removal.refresh(d.steps))

    def destroy(self, stack: Stack, request: Request) -> Result:
        """Delete every resource of the stack, or those that are targeted."""
        request = replace(request, policy_packs=(), policy_pack_configs=())
        delete = removal.delete_left_over
        return self._operate(stack, request, "destroy", lambda d, *_: delete(d.steps))

    def outputs(self, stack: Stack, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the stack's outputs; a secret reads `[secret]` unless shown."""
        _, file = _open(stack)
        found = checkpoint.stack_outputs(file.load())
        return values.reveal(found) if show_secrets else values.redact(found)

    def export(self, stack: Stack) -> dict[str, Any]:
        """Return the state in the form of `pulumi stack export`."""
        project, file = _open(stack)
        deployment = checkpoint.to_deployment(file.load(), project.crypter)
        return {"version": 3, "deployment": deployment}

    def import_(self, stack: Stack, deployment: Mapping[str, Any]) -> None:
        """Replace the state by one that `export` or `pulumi stack export` gave."""
        project, file = _open(stack)
        if deployment.get("version") != 3:
            raise EngineError(f"cannot import version {deployment.get('version')!r} of the state")
        state = checkpoint.from_deployment(deployment.get("deployment"), project.crypter)
        prefix = f"urn:pulumi:{stack.name}::{project.name}::"
        for resource in state.resources:
            if not resource.urn.startswith(prefix):
                raise EngineError(f"{resource.urn} is not of the stack {stack.name!r}")
        with lock.held(_lock_path(stack, project), "import"):
            file.keep_backup()
            file.write(state)

    def cancel(self, stack: Stack) -> str:
        """Return who holds the lock. Nothing needs taking away: it goes with its process."""
        return lock.holder(_lock_path(stack, load_project(stack)))

    def _operate(
        self,
        stack: Stack,
        request: Request,
        operation: str,
        work: Callable[[Deployment, Project, Reporter, Request], None],
    ) -> Result:
        began = monotonic()
        view = display.view_for(request, operation, stack.name)
        reporter = Reporter(view)
        outputs: dict[str, Any] = {}
        ok = False
        try:
            project, file = _open(stack)
            preview = operation == "preview"
            with (
                contextlib.nullcontext()
                if preview
                else lock.held(_lock_path(stack, project), operation)
            ):
                before = file.load()
                if not preview:
                    file.keep_backup()
                journal = Journal(None if preview else file, before)
                try:
                    with self._deployment(
                        stack, project, request, before, journal, reporter, preview=preview
                    ) as deployment:
                        work(deployment, project, reporter, request)
                        ok = not deployment.steps.failed
                finally:
                    journal.close(forget_creates=operation == "refresh" and ok)
                outputs = checkpoint.stack_outputs(journal.current())
        except StoppedError:
            pass
        except EngineError as error:
            reporter.message("error", str(error))
        result = Result(
            exit_code=0 if ok else 1,
            summary=reporter.summary(),
            steps=tuple(reporter.steps),
            findings=tuple(reporter.findings),
            diagnostics=tuple(reporter.diagnostics),
            outputs=values.reveal(outputs),
            duration=monotonic() - began,
        )
        view.close(result, reporter)
        return result

    @contextlib.contextmanager
    def _deployment(
        self,
        stack: Stack,
        project: Project,
        request: Request,
        before: checkpoint.Deployment,
        journal: Journal,
        reporter: Reporter,
        *,
        preview: bool,
    ) -> Generator[Deployment]:
        environment = surroundings(stack.environment)
        _warn_of_pending(before, reporter)
        packs = _start_packs(request, project, environment, reporter, preview=preview)
        references = Plugin(servicer=lambda: References(stack.home, project.name))
        plugins = {**self._plugins, "pulumi": references}
        host = Host(
            plugins, environment, project.program, lambda line: reporter.message("info", line)
        )
        try:
            # Their processes start while this one imports the program.
            for package in _packages(before, project):
                host.prepare(package)
            options = Options(preview=preview, parallel=request.parallel, targets=request.targets)
            steps = Steps(before.resources, journal, Registry(host), reporter, options)
            deployment = Deployment(project, steps, packs)
            with (
                program.surroundings(project, environment),
                _interrupts(steps, host, reporter),
            ):
                yield deployment
        finally:
            reporter.packs = packs.names
            packs.close()
            host.close()


def _run_program(
    deployment: Deployment, project: Project, reporter: Reporter, request: Request
) -> None:
    monitor, steps = Monitor(deployment), deployment.steps
    finished = program.run(
        project,
        monitor,
        reporter,
        preview=steps.options.preview,
        parallel=request.parallel,
    )
    if not finished:
        steps.failed = True
    elif steps.options.preview or not steps.failed:
        removal.delete_left_over(steps)
        steps.stop_if_cancelled()
        deployment.review_stack()


def _open(stack: Stack) -> tuple[Project, StateFile]:
    project = load_project(stack)
    path = stack.home / "state" / project.name / f"{stack.name}.json"
    return project, StateFile(path, f"organization/{project.name}/{stack.name}", project.crypter)


def _lock_path(stack: Stack, project: Project) -> Path:
    return stack.home / "state" / project.name / f"{stack.name}.lock"


def _start_packs(
    request: Request,
    project: Project,
    environment: Mapping[str, str],
    reporter: Reporter,
    *,
    preview: bool,
) -> Packs:
    configs = request.policy_pack_configs
    if configs and len(configs) != len(request.policy_packs):
        raise EngineError("give one policy configuration per policy pack, in the same order")
    packs = [
        Pack(
            folder.resolve(),
            configs[index].resolve() if configs else None,
            project,
            preview=preview,
            environment=environment,
            log=lambda line: reporter.message("info", line),
        )
        for index, folder in enumerate(request.policy_packs)
    ]
    return Packs(packs, reporter.finding)


def _packages(before: checkpoint.Deployment, project: Project) -> list[str]:
    """Name the providers that will be needed, as far as state and configuration tell."""
    known = [
        resource.resource_type.removeprefix(PROVIDER_PREFIX)
        for resource in before.resources
        if resource.resource_type.startswith(PROVIDER_PREFIX)
    ]
    return list(dict.fromkeys([*known, *(key.split(":", 1)[0] for key in project.config)]))


def _warn_of_pending(before: checkpoint.Deployment, reporter: Reporter) -> None:
    if before.pending:
        listed = "\n".join(
            f"  * {resource.urn}, interrupted while {kind}" for kind, resource in before.pending
        )
        reporter.message(
            "warning",
            f"Attempting to deploy or update resources with {len(before.pending)} pending "
            f"operations from previous deployment.\n{listed}\n"
            "These resources are in an unknown state because the engine was interrupted while "
            "waiting for changes to these resources to complete. Confirm whether the operations "
            "completed; a refresh forgets those that were creating.",
        )


@contextlib.contextmanager
def _interrupts(steps: Steps, host: Host, reporter: Reporter) -> Generator[None]:
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
            reporter.message("error", "the operation was cancelled")
