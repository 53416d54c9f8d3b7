"""Which program a command is about, and the cloud that it runs against."""

import functools
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from sandbox import cloud as clouds
from sandbox.bring_up import bring_up
from sandbox.cloud import Cloud
from sandbox.configuration import STACK, effective_file, write_effective
from sandbox.console import Console
from sandbox.engines import NAMES, choose, remembered
from sandbox.errors import SandboxError
from sandbox.home import ROOT, home
from sandbox.platform import Platform, load
from sandbox.stack import Engine, Request, Stack
from sandbox.surroundings import program_environment, shed_surroundings


@dataclass(frozen=True, kw_only=True)
class Target:
    """The program and stack that were asked for, and with what engine."""

    cwd: Path | None
    stack_name: str
    engine: Engine
    home: Path

    @property
    def own(self) -> bool:
        """Whether it is this repository's program, which needs its package and its platform."""
        return self.cwd is None and self.stack_name == STACK

    def stack(self, cloud: Cloud | None) -> Stack:
        """Return the stack as the engine wants it; without a cloud for what only reads state."""
        if self.own:
            return own_stack(self.home, cloud)
        return Stack(
            name=self.stack_name,
            cwd=self.cwd or ROOT,
            home=self.home,
            environment=_surroundings(cloud),
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
    environment = program_environment(cloud) if cloud else {}
    if environment:
        shed_surroundings(environment)
    return environment


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which every command finds its program; it gets a `target` argument."""

    @click.option(
        "-C",
        "--cwd",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="The folder of another Pulumi program.",
    )
    @click.option("-s", "--stack", "stack_name", default=STACK, help="The stack's name.")
    @click.option(
        "--engine", type=click.Choice(NAMES), help="Instead of what ENGINE or the machine says."
    )
    @functools.wraps(command)
    def with_target(
        *args: Any, cwd: Path | None, stack_name: str, engine: str | None, **rest: Any
    ) -> Any:
        elsewhere = None if cwd is None or cwd.absolute() == ROOT else cwd.absolute()
        before = remembered(home()) if elsewhere is None and stack_name == STACK else None
        target = Target(
            cwd=elsewhere,
            stack_name=stack_name,
            engine=choose(engine, before=before),
            home=home(),
        )
        return command(*args, target=target, **rest)

    return with_target


def request_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of an operation; it gets a function that makes a `request` for a target."""

    @click.option(
        "--policy-pack",
        "packs",
        multiple=True,
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="A policy pack to hold the program to; may be repeated.",
    )
    @click.option(
        "--policy-pack-config",
        "pack_configs",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The settings of a policy pack, in the order of the packs.",
    )
    @click.option(
        "-t", "--target", "targets", multiple=True, help="Only this URN; may be repeated."
    )
    @click.option("--diff", is_flag=True, help="Show what changes property by property.")
    @click.option("-j", "--json", "as_json", is_flag=True, help="One JSON document on stdout.")
    @functools.wraps(command)
    def with_request(
        *args: Any,
        target: Target,
        packs: tuple[Path, ...],
        pack_configs: tuple[Path, ...],
        targets: tuple[str, ...],
        diff: bool,
        as_json: bool,
        **rest: Any,
    ) -> Any:
        request = Request(
            policy_packs=tuple(pack.absolute() for pack in packs)
            or ((ROOT / "policies",) if target.own else ()),
            policy_pack_configs=tuple(file.absolute() for file in pack_configs),
            targets=targets,
            diff=diff,
            json=as_json,
        )
        return command(*args, target=target, request=request, **rest)

    return with_request


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


def found(target_home: Path) -> tuple[Cloud, Platform]:
    """Give the cloud and the platform that run, or say that they do not."""
    cloud = clouds.connect(target_home)
    platform = load(target_home)
    if platform is None:
        raise SandboxError(
            f"the sandbox of {target_home}", "its platform is not there", "run: make up"
        )
    return cloud, platform
