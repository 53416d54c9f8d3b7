"""`down` and `status`: the end of a sandbox, and how it is."""

from typing import Any

import click

from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.commands.target import Target, agree, own_stack, target_options, yes_option
from sandbox.console import Console
from sandbox.engines import choose, remembered
from sandbox.errors import SandboxError
from sandbox.home import alone, clear, home
from sandbox.own_stack import STACK
from sandbox.platform import load
from sandbox.stack import Engine, EngineError, Request, Stack


@click.command()
@yes_option
def down(yes: bool) -> None:
    """Destroy the stack and stop every process that `up` started."""
    console, folder = Console(), home()
    agree(yes, "Destroy the stack and stop the sandbox?")
    with alone(folder, "down"):
        try:
            cloud = clouds.connect(folder)
        except clouds.CloudNotRunningError:
            # What was deployed was in that cloud alone: there is nothing left to destroy.
            clouds.stop(folder)
            clear(folder)
            console.say("nothing was running; what a former run left behind is cleared away")
            return
        destroyed = _destroy(cloud, console)
        with console.step("stop the cloud") as step:
            cloud.stop()
            step.note = f"process {cloud.pid} and all that it started are gone"
        if not destroyed:
            raise SandboxError(
                f"stack {STACK}",
                "not everything could be destroyed, so its state is kept (nothing runs any more)",
                f"run: make up, and mend it; or throw all away: rm -r {folder}",
            )
        clear(folder)


def _destroy(cloud: Cloud, console: Console) -> bool:
    """Delete the stack's resources; say whether nothing of it is left to care about."""
    try:
        engine = choose(before=remembered(cloud.home))
    except SandboxError as error:
        console.say(f"the stack goes with the cloud, not resource by resource: {error.reason}")
        return True
    stack = own_stack(cloud.home, cloud)
    return not _resources(engine, stack) or engine.destroy(stack, Request()).ok


def _resources(engine: Engine, stack: Stack) -> list[dict[str, Any]]:
    """Return what is deployed, counted as the engines count: without the providers."""
    try:
        deployment = engine.export(stack).get("deployment") or {}
    except EngineError:
        return []  # it was never deployed
    resources = deployment.get("resources") or []
    return [each for each in resources if not each["type"].startswith("pulumi:providers:")]


@click.command()
@target_options
@click.option("-j", "--json", is_flag=True, help="One JSON object on stdout.")
def status(target: Target, json: bool) -> int:
    """Say what runs, what is deployed and what a client needs; status 1 when nothing runs."""
    about: dict[str, Any] = {"home": str(target.home)}
    try:
        cloud = clouds.connect(target.home)
    except clouds.CloudNotRunningError:
        Console().values(about | {"cloud": "not running", "way out": "make up"}, as_json=json)
        return 1
    platform, stack = load(target.home), target.stack(cloud)
    about |= {
        "cloud": "running",
        "endpoint": cloud.endpoint,
        "process": cloud.pid,
        "log": str(cloud.log),
        "platform": platform.api_name if platform else "not there",
        "engine": target.engine.name,
        "stack": target.stack_name,
    }
    resources = _resources(target.engine, stack)
    outputs = target.engine.outputs(stack) if resources else {}
    about["resources"] = len(resources)
    about |= {name: outputs[name] for name in ("webSocketUrl",) if name in outputs}
    Console().values(about, as_json=json)
    return 0
