"""`up`, `preview`, `refresh` and `destroy`."""

import sys
import time
from contextlib import AbstractContextManager

import click

from sandbox import package
from sandbox.commands.target import Target, request_options, running, target_options
from sandbox.console import Console
from sandbox.engines import remember
from sandbox.errors import SandboxError
from sandbox.home import alone, together
from sandbox.proof import prove
from sandbox.stack import Request, Result, Stack

_yes = click.option("-y", "--yes", is_flag=True, help="Do not ask before anything is changed.")


@click.command()
@target_options
@request_options
@_yes
@click.option("--prove", "proven", is_flag=True, help="Then use the stack as a client would.")
def up(target: Target, request: Request, yes: bool, proven: bool) -> int:
    """Show what would change, then deploy it."""
    console = _console(request)
    began = time.monotonic()
    if proven and not target.own:
        raise SandboxError("--prove", "only this repository's stack has a proof", "leave it out")
    with _at_work(target, "up"), running(target, console, keep=True) as (cloud, platform):
        _build(target, console)
        stack = target.stack(cloud)
        if cloud.lost and not (found := target.engine.refresh(stack, request)).ok:
            return found.exit_code
        cloud.forget_loss()
        if not (planned := _plan(target, stack, request)).ok:
            return planned.exit_code
        if request.json or _differs(planned, target, stack):
            _agree(yes, "Deploy this?")
            if target.own:
                remember(target.home, target.engine)
            done = target.engine.up(stack, request)
            cloud.save()
            if not done.ok:
                return done.exit_code
        if target.own:
            outputs = target.engine.outputs(stack)
            if proven:
                console.heading("Proving it, as a client")
                prove(cloud, platform, outputs, console)
            _what_next(console, outputs["webSocketUrl"], time.monotonic() - began)
    return 0


@click.command()
@target_options
@request_options
def preview(target: Target, request: Request) -> int:
    """Show what `up` would change, and change nothing."""
    console = _console(request)
    with together(target.home), running(target, console, keep=False) as (cloud, _):
        _build(target, console)
        return target.engine.preview(target.stack(cloud), request).exit_code


@click.command()
@target_options
@request_options
@_yes
def refresh(target: Target, request: Request, yes: bool) -> int:
    """Bring the state to what is really in the cloud."""
    console = _console(request)
    with _at_work(target, "refresh"), running(target, console, keep=True) as (cloud, _):
        _agree(yes, "Take over what is in the cloud?")
        return target.engine.refresh(target.stack(cloud), request).exit_code


@click.command()
@target_options
@request_options
@_yes
def destroy(target: Target, request: Request, yes: bool) -> int:
    """Delete every resource of the stack; the sandbox goes on running."""
    console = _console(request)
    with _at_work(target, "destroy"), running(target, console, keep=True) as (cloud, _):
        _agree(yes, f"Delete every resource of stack {target.stack_name}?")
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
            step.note = package.build()


def _plan(target: Target, stack: Stack, request: Request) -> Result:
    """Show what would change, unless a machine reads: it gets one document, not two."""
    if request.json:
        return Result(exit_code=0)
    return target.engine.preview(stack, request)


def _differs(planned: Result, target: Target, stack: Stack) -> bool:
    """Whether there is anything to deploy; outputs may change where no resource does."""
    if planned.changes:
        return True
    return dict(planned.outputs) != target.engine.outputs(stack, show_secrets=True)


def _agree(yes: bool, question: str) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise SandboxError(
            "confirmation", "there is no terminal to ask on", "say --yes to go ahead"
        )
    click.confirm(question, abort=True)


def _what_next(console: Console, url: str, seconds: float) -> None:
    console.heading(f"The order receiver runs in the sandbox ({seconds:.1f} s)")
    console.table(
        [
            ("  WebSocket", url),
            ("  a token", ".venv/bin/python -m sandbox token merchant1"),
            ("  talk to it", f".venv/bin/websockets {url}"),
            ("  what it logs", ".venv/bin/python -m sandbox logs --follow"),
            ("  change something", "edit Pulumi.sandbox.yaml, then: make preview, make up"),
            ("  the outputs", "make outputs"),
            ("  stop everything", "make down"),
        ]
    )
