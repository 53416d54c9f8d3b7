"""`up`, `preview`, `refresh` and `destroy`."""

import sys
import time
from contextlib import AbstractContextManager
from dataclasses import replace

import click

from sandbox.commands.target import Target, agree, request_options, running, yes_option
from sandbox.console import Console
from sandbox.engines import remember, remembered
from sandbox.errors import SandboxError
from sandbox.home import alone, together
from sandbox.own_stack import build_package, prove
from sandbox.stack import Request, Result, Stack


@click.command()
@request_options
@yes_option
@click.option("--prove", "proven", is_flag=True, help="Then use the stack as its apps do.")
def up(target: Target, request: Request, yes: bool, proven: bool) -> int:
    """Show what would change, then deploy it."""
    console, began = _console(request), time.monotonic()
    if proven and not target.own:
        raise SandboxError("--prove", "only this repository's stack has a proof", "leave it out")
    with _at_work(target, "up"), running(target, console, keep=True) as (cloud, platform):
        _build(target, console)
        stack = target.stack(cloud)
        # A machine that reads gets one document, the deployment's.
        unread = replace(request, json=False, quiet=request.json)
        if cloud.lost and not (found := target.engine.refresh(stack, unread)).ok:
            raise SandboxError(
                f"stack {stack.name}",
                "it could not be brought in line with what the cloud has after it was killed",
                "mend it, and run it again",
                detail="\n".join(each.message for each in found.diagnostics),
            )
        if target.own or remembered(target.home) is None:  # another program's loss is not ours
            cloud.forget_loss()
        planned = None if request.json else target.engine.preview(stack, request)
        if planned and not planned.ok:
            return planned.exit_code
        if planned is None or _differs(planned, target, stack):
            agree(yes, "Deploy this?")
            if target.own:
                remember(target.home, target.engine)
            done = target.engine.up(stack, request)
            cloud.save()
            if not done.ok:
                return done.exit_code
        if target.own:
            outputs = target.engine.outputs(stack)
            if proven:
                console.heading("Proving it, as its apps use it")
                prove(cloud, platform, outputs)
            seconds = time.monotonic() - began
            console.heading(
                f"The order receiver is deployed {'and proven ' if proven else ''}({seconds:.1f} s)"
            )
            _what_next(console, outputs["webSocketUrl"])
    return 0


@click.command()
@request_options
def preview(target: Target, request: Request) -> int:
    """Show what `up` would change, and change nothing."""
    console = _console(request)
    with together(target.home), running(target, console, keep=False) as (cloud, _):
        _build(target, console)
        return target.engine.preview(target.stack(cloud), request).exit_code


@click.command()
@request_options
@yes_option
def refresh(target: Target, request: Request, yes: bool) -> int:
    """Bring the state to what is really in the cloud."""
    with _at_work(target, "refresh"), running(target, _console(request), keep=True) as (cloud, _):
        agree(yes, "Take over what is in the cloud?")
        return target.engine.refresh(target.stack(cloud), request).exit_code


@click.command()
@request_options
@yes_option
def destroy(target: Target, request: Request, yes: bool) -> int:
    """Delete every resource of the stack; the sandbox goes on running."""
    with _at_work(target, "destroy"), running(target, _console(request), keep=True) as (cloud, _):
        agree(yes, f"Delete every resource of stack {target.stack_name}?")
        result = target.engine.destroy(target.stack(cloud), request)
        cloud.save()
        return result.exit_code


def _at_work(target: Target, command: str) -> AbstractContextManager[None]:
    """Commands on our stack exclude each other; other programs' stacks have their own locks."""
    return alone(target.home, command) if target.own else together(target.home)


def _console(request: Request) -> Console:
    return Console(sys.stderr if request.json else None)


def _build(target: Target, console: Console) -> None:
    if target.own:
        with console.step("build the Lambda package") as step:
            step.note = build_package()


def _differs(planned: Result, target: Target, stack: Stack) -> bool:
    """Whether there is anything to deploy; outputs may change where no resource does."""
    if planned.changes:
        return True
    return dict(planned.outputs) != target.engine.outputs(stack, show_secrets=True)


def _what_next(console: Console, url: str) -> None:
    console.values(
        {
            "  WebSocket": url,
            "  a token": ".venv/bin/python -m sandbox token merchant1",
            "  talk to it": f".venv/bin/websockets {url}",
            "  what it logs": ".venv/bin/python -m sandbox logs --follow",
            "  change something": "edit Pulumi.sandbox.yaml, then: make preview, make up",
            "  the outputs": "make outputs",
            "  stop everything": "make down",
        }
    )
