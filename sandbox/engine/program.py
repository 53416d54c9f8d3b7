"""Runs a Pulumi program in this process, as the language host would in one of its own."""

import asyncio
import contextlib
import contextvars
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pulumi
import pulumi.runtime
from pulumi.runtime.settings import ROOT

from sandbox.engine.monitor import EngineLog, Monitor
from sandbox.engine.project import Project
from sandbox.engine.steps import Steps, StoppedError


def run(project: Project, monitor: Monitor, steps: Steps) -> bool:
    """Run the program to its end; report what it fails with, and return whether it did not."""
    # The SDK keeps its settings in context variables: a copy leaves the caller's as they were.
    return contextvars.copy_context().run(_run, project, monitor, steps)


def _run(project: Project, monitor: Monitor, steps: Steps) -> bool:
    pulumi.runtime.set_all_config(dict(project.config), sorted(project.secret_keys))
    ROOT.set(None)
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=project.name,
            stack=project.stack,
            organization="organization",
            root_directory=str(project.root),
            monitor=monitor,
            engine=EngineLog(steps.report),
            parallel=steps.parallel,
            dry_run=steps.preview,
        )
    )
    # Futures that nobody awaited are how a program looks when it is stopped in the middle.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    threads = ThreadPoolExecutor(max_workers=steps.parallel * 4, thread_name_prefix="resource")
    loop.set_default_executor(threads)
    entry = project.program / "__main__.py" if project.program.is_dir() else project.program

    async def program() -> None:
        runpy.run_path(str(entry), run_name="__main__")
        # Let the registrations begin. The SDK then waits for each of them in turn; otherwise it
        # waits for all outputs at once, again whenever one is there: their number squared.
        await asyncio.sleep(0)

    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(program))
    except StoppedError:
        return False
    except pulumi.RunError as error:
        steps.report.message("error", str(error))
        return False
    except SystemExit as error:
        if error.code in (None, 0):
            return True
        steps.report.message("error", f"the program ended with the exit status {error.code}")
        return False
    except Exception as error:  # noqa: BLE001  (whatever a program raises is its reader's to see)
        if not _stopped(error):
            steps.report.message("error", _explain(error, entry))
        return False
    finally:
        # Steps that are under way are finished, so that the state says how they ended.
        threads.shutdown(wait=True, cancel_futures=True)
        loop.close()
        asyncio.set_event_loop(None)
    return True


def _stopped(error: BaseException | None) -> bool:
    """Say whether an error comes from the deployment's end rather than from the program."""
    seen: set[int] = set()
    # What several resources fail with may come back as its own cause.
    while error is not None and id(error) not in seen and not isinstance(error, StoppedError):
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return isinstance(error, StoppedError)


def _explain(error: Exception, entry: Path) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = next((i for i, f in enumerate(frames) if f.filename == str(entry)), 0)
    text = "".join(traceback.format_exception(error, limit=-(len(frames) - own)))
    return f"Program failed with an unhandled exception:\n{text.rstrip()}"


@contextlib.contextmanager
def surroundings(project: Project) -> Generator[None]:
    """Give the program its folder, its environment and its own modules, and take them back."""
    saved_environment, saved_path = dict(os.environ), list(sys.path)
    saved_modules, saved_arguments = set(sys.modules), sys.argv
    folder = project.program if project.program.is_dir() else project.program.parent
    os.environ.clear()
    os.environ.update(project.environment)
    sys.path.insert(0, str(folder))
    sys.argv = [str(project.program)]
    try:
        with contextlib.chdir(folder):
            yield
    finally:
        sys.argv = saved_arguments
        sys.path[:] = saved_path
        os.environ.clear()
        os.environ.update(saved_environment)
        for name in sys.modules.keys() - saved_modules:
            # The next run is to see the program as it then is, and only it has modules here.
            file = getattr(sys.modules[name], "__file__", None)
            if file and _is_own(Path(file), folder):
                del sys.modules[name]


def _is_own(file: Path, folder: Path) -> bool:
    others = "site-packages" in file.parts or file.is_relative_to(Path(__file__).parents[1])
    return file.is_relative_to(folder) and not others
