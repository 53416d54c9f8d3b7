"""`down` and `status`: the end of a sandbox, and how it is."""

import json
from typing import Any

import click

from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.commands.target import Target, own_stack, target_options
from sandbox.configuration import STACK
from sandbox.console import Console
from sandbox.engines import choose, remembered
from sandbox.errors import SandboxError
from sandbox.home import alone, clear, home
from sandbox.platform import load
from sandbox.stack import EngineError, Request


@click.command()
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def down(yes: bool) -> None:
    """Destroy the stack and stop every process that `up` started."""
    console = Console()
    folder = home()
    if not yes:
        click.confirm("Destroy the stack and stop the sandbox?", abort=True)
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
    try:
        deployment = engine.export(stack).get("deployment") or {}
    except EngineError:
        return True  # it was never deployed
    if not deployment.get("resources"):
        return True
    return engine.destroy(stack, Request()).ok


@click.command()
@target_options
@click.option("-j", "--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def status(target: Target, as_json: bool) -> int:
    """Say what runs, what is deployed and what a client needs; status 1 when nothing runs."""
    about = _about(target)
    if as_json:
        click.echo(json.dumps(about, indent=2))
    else:
        Console().table(
            [
                (name, value if isinstance(value, str) else json.dumps(value))
                for name, value in about.items()
            ]
        )
    return 0 if about["cloud"] == "running" else 1


def _about(target: Target) -> dict[str, Any]:
    platform = load(target.home)
    try:
        cloud = clouds.connect(target.home)
    except clouds.CloudNotRunningError:
        return {"home": str(target.home), "cloud": "not running", "way out": "make up"}
    about: dict[str, Any] = {
        "home": str(target.home),
        "cloud": "running",
        "endpoint": cloud.endpoint,
        "process": cloud.pid,
        "log": str(cloud.log),
        "platform": platform.api_name if platform else "not there",
        "engine": target.engine.name,
        "stack": target.stack_name,
    }
    stack = target.stack(cloud)
    try:
        deployment = target.engine.export(stack).get("deployment") or {}
        outputs = target.engine.outputs(stack)
    except EngineError:
        deployment, outputs = {}, {}
    about["resources"] = len(deployment.get("resources") or ())
    if "webSocketUrl" in outputs:
        about["webSocketUrl"] = outputs["webSocketUrl"]
    return about
