"""`config`: reading and changing a stack's settings."""

import json
from typing import Any

import click
import yaml

from sandbox.commands.target import Target, target_options
from sandbox.console import Console
from sandbox.errors import SandboxError
from sandbox.home import ROOT
from sandbox.stack_settings import changed


@click.group()
def config() -> None:
    """Read and change the settings of a stack, which stand in Pulumi.<stack>.yaml."""


@config.command("get")
@click.argument("key", default="")
@click.option("-j", "--json", "as_json", is_flag=True, help="As JSON.")
@target_options
def get(target: Target, key: str, as_json: bool) -> None:
    """Print the value of KEY, or all of them."""
    settings: dict[str, Any] = (yaml.safe_load(_text(target)) or {}).get("config") or {}
    if not key:
        if as_json:
            click.echo(json.dumps(settings, indent=2))
        else:
            Console().table([(name, _plain(value)) for name, value in settings.items()])
        return
    name = _full(target, key)
    if name not in settings:
        raise SandboxError(
            name, "it is not set", f"set it: python -m sandbox config set {name} VALUE"
        )
    value = settings[name]
    click.echo(json.dumps(value) if as_json else _plain(value))


@config.command("set")
@click.argument("key")
@click.argument("value")
@target_options
def set_(target: Target, key: str, value: str) -> None:
    """Set KEY to VALUE; a VALUE that is a JSON list or object is taken as one."""
    path = _path(target)
    path.write_text(changed(_text(target), _full(target, key), value))


@config.command("rm")
@click.argument("key")
@target_options
def remove(target: Target, key: str) -> None:
    """Remove KEY, so that its default counts."""
    path = _path(target)
    path.write_text(changed(_text(target), _full(target, key), None))


def _path(target: Target):
    return (target.cwd or ROOT) / f"Pulumi.{target.stack_name}.yaml"


def _text(target: Target) -> str:
    path = _path(target)
    return path.read_text() if path.is_file() else ""


def _full(target: Target, key: str) -> str:
    """A key without a namespace is in the project's own."""
    if ":" in key:
        return key
    project = (target.cwd or ROOT) / "Pulumi.yaml"
    if not project.is_file():
        raise SandboxError(str(project), "there is no such project", "say where it is: --cwd")
    return f"{yaml.safe_load(project.read_text())['name']}:{key}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
