"""`down` and `status`: the end of a sandbox, and how it is."""

import json
from typing import Any

import click

from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.commands.target import Target, target_options
from sandbox.console import Console
from sandbox.engines import forget
from sandbox.errors import SandboxError
from sandbox.home import alone, clear
from sandbox.platform import load
from sandbox.stack import EngineError, Request


@click.command()
@target_options
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def down(target: Target, yes: bool) -> int:
    """Destroy the stack and stop every process that `up` started."""
    if not target.own:
        raise SandboxError("down", "it ends the whole sandbox", "use destroy for one program")
    console = Console()
    if not yes:
        click.confirm("Destroy the stack and stop the sandbox?", abort=True)
    with alone(target.home, "down"):
        try:
            cloud = clouds.connect(target.home)
        except clouds.CloudNotRunningError:
            # What was deployed was in that cloud alone: there is nothing left to destroy.
            clouds.stop(target.home)
            clear(target.home)
            console.say("nothing was running; what a former run left behind is cleared away")
            return 0
        destroyed = _destroy(target, cloud)
        with console.step("stop the cloud") as step:
            cloud.stop()
            step.note = f"process {cloud.pid} and all that it started are gone"
        if not destroyed:
            raise SandboxError(
                f"stack {target.stack_name}",
                "not everything could be destroyed, so its state is kept (nothing runs any more)",
                f"run: make up, and mend it; or throw all away: rm -r {target.home}",
            )
        forget(target.home)
        clear(target.home)
    return 0


def _destroy(target: Target, cloud: Cloud) -> bool:
    stack = target.stack(cloud)
    try:
        deployment = target.engine.export(stack).get("deployment") or {}
    except EngineError:
        return True  # it was never deployed
    if not deployment.get("resources"):
        return True
    return target.engine.destroy(stack, Request()).ok


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
