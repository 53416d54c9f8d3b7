"""Which program a command is about, and the cloud that it runs against."""

import functools
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from sandbox import cloud as clouds
from sandbox.bring_up import bring_up, program_environment, shed_surroundings
from sandbox.cloud import Cloud
from sandbox.console import Console
from sandbox.engines import NAMES, choose, remembered
from sandbox.errors import SandboxError
from sandbox.home import ROOT, home
from sandbox.own_stack import STACK, effective_file, write_effective
from sandbox.platform import Platform
from sandbox.stack import Engine, Request, Stack

_FOLDER = click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)


@dataclass(frozen=True, kw_only=True)
class Target:
    """The program and stack that were asked for, and with what engine."""

    cwd: Path
    stack_name: str
    engine: Engine
    home: Path

    @property
    def own(self) -> bool:
        """Whether it is this repository's program, which needs its package and its platform."""
        return self.cwd == ROOT and self.stack_name == STACK

    def stack(self, cloud: Cloud | None = None) -> Stack:
        """Return the stack as the engine wants it, with the cloud that runs, if there is one."""
        if cloud is None:
            with suppress(clouds.CloudNotRunningError):  # the state can be read without one
                cloud = clouds.connect(self.home)
        if self.own:
            return own_stack(self.home, cloud)
        return Stack(
            name=self.stack_name, cwd=self.cwd, home=self.home, environment=_surroundings(cloud)
        )


def own_stack(folder: Path, cloud: Cloud | None) -> Stack:
    """Return this repository's stack."""
    return Stack(
        name=STACK,
        cwd=ROOT,
        home=folder,
        config_file=effective_file(folder),
        environment=_surroundings(cloud),
    )


def _surroundings(cloud: Cloud | None) -> dict[str, str]:
    """Return what a program is to see, and have this process see nothing else either."""
    if cloud is None:
        return {}
    environment = program_environment(cloud)
    shed_surroundings(environment)
    return environment


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which every command finds its program; it gets a `target` argument."""

    @click.option("-C", "--cwd", type=_FOLDER, default=ROOT, help="Another program's folder.")
    @click.option("-s", "--stack", default=STACK, help="The stack's name.")
    @click.option(
        "--engine", type=click.Choice(NAMES), help="Instead of what ENGINE or the machine says."
    )
    @functools.wraps(command)
    def with_target(cwd: Path, stack: str, engine: str | None, **rest: Any) -> Any:
        before = remembered(home()) if (cwd, stack) == (ROOT, STACK) else None
        chosen = choose(engine, before=before)
        target = Target(cwd=cwd, stack_name=stack, engine=chosen, home=home())
        return command(target=target, **rest)

    return with_target


def request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of an operation; it gets a `request` argument beside its `target`."""

    @target_options
    @click.option(
        "--policy-pack",
        "policy_packs",
        multiple=True,
        type=_FOLDER,
        help="A policy pack to hold the program to; may be repeated.",
    )
    @click.option(
        "--policy-pack-config",
        "policy_pack_configs",
        multiple=True,
        type=_FILE,
        help="The settings of a policy pack, in the order of the packs.",
    )
    @click.option(
        "-t", "--target", "targets", multiple=True, help="Only this URN; may be repeated."
    )
    @click.option("--diff", is_flag=True, help="Show what changes property by property.")
    @click.option("-j", "--json", is_flag=True, help="One JSON document on stdout.")
    @functools.wraps(command)
    def with_request(target: Target, **given: Any) -> Any:
        asked = {each.name: given.pop(each.name) for each in fields(Request) if each.name in given}
        if target.own and not asked["policy_packs"]:
            asked["policy_packs"] = (ROOT / "policies",)
        return command(target=target, request=Request(**asked), **given)

    return with_request


yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask before anything changes.")


def agree(yes: bool, question: str) -> None:
    """Ask for consent, which cannot be asked for where there is no terminal."""
    if yes:
        return
    if not sys.stdin.isatty():
        reason = "there is no terminal to ask on"
        raise SandboxError("confirmation", reason, "say --yes to go ahead")
    if not click.confirm(question):
        click.echo("left as it is", err=True)
        raise click.exceptions.Exit(1)


@contextmanager
def running(target: Target, console: Console, *, keep: bool) -> Generator[tuple[Cloud, Platform]]:
    """Give the cloud and the platform, brought up if need be.

    With `keep` they go on running; without it a cloud that was started for this is stopped again.
    """
    cloud, platform, started = bring_up(target.home, console)
    try:
        if target.own:
            write_effective(cloud, platform)
        yield cloud, platform
    finally:
        if started and not keep:
            cloud.stop()
