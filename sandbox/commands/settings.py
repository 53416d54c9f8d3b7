"""`config`: reading and changing a stack's settings, comments and the rest untouched."""

import json
from pathlib import Path
from typing import Any

import click
import yaml

from sandbox.commands.target import Target, target_options
from sandbox.console import Console
from sandbox.errors import SandboxError
from sandbox.own_stack import read_settings


@click.group()
def config() -> None:
    """Read and change the settings of a stack, which stand in Pulumi.<stack>.yaml."""


@config.command("get")
@click.argument("key", default="")
@click.option("-j", "--json", "as_json", is_flag=True, help="As JSON.")
@target_options
def get(target: Target, key: str, as_json: bool) -> None:
    """Print the value of KEY, or all of them."""
    settings: dict[str, Any] = (yaml.safe_load(_file(target)[1]) or {}).get("config") or {}
    if not key:
        Console().values(settings, as_json=as_json)
        return
    name = _full(target, key)
    if name not in settings:
        way_out = f"set it: python -m sandbox config set {name} VALUE"
        raise SandboxError(name, "it is not set", way_out)
    value = settings[name]
    click.echo(value if isinstance(value, str) and not as_json else json.dumps(value))


@config.command("set")
@click.argument("key")
@click.argument("value")
@target_options
def set_(target: Target, key: str, value: str) -> None:
    """Set KEY to VALUE; a VALUE that is a JSON list or object is taken as one."""
    path, text = _file(target)
    path.write_text(changed(text, _full(target, key), value))


@config.command("rm")
@click.argument("key")
@target_options
def remove(target: Target, key: str) -> None:
    """Remove KEY, so that its default counts."""
    path, text = _file(target)
    path.write_text(changed(text, _full(target, key), None))


def changed(text: str, key: str, value: str | None) -> str:
    """Return a settings file's text with `key` set to `value`, or without it.

    A value that is a JSON list or object is written as one; everything else is written so that it
    is read as the CLI reads it, `"true"` and `"12"` as text.
    """
    document = yaml.compose(text)
    top = document.value if isinstance(document, yaml.MappingNode) else []
    block = next(((name, node) for name, node in top if name.value == "config"), None)
    entries = block[1].value if block and isinstance(block[1], yaml.MappingNode) else []
    known = next(((name, node) for name, node in entries if name.value == key), None)
    entry = "" if value is None else f"  {key}: {_yaml(value)}\n"
    if known:
        start, end = _lines(text, *known)
        return text[:start] + entry + text[end:]
    if not entry:
        return text
    if entries:
        _, end = _lines(text, *entries[-1])
    elif block:
        start, end = _lines(text, *block)
        return f"{text[:start]}config:\n{entry}{text[end:]}"
    else:
        text, end = f"{_ended(text)}config:\n", len(_ended(text)) + len("config:\n")
    return _ended(text[:end]) + entry + text[end:]


def _lines(text: str, name: yaml.Node, node: yaml.Node) -> tuple[int, int]:
    """Where the lines of an entry begin and end, without comments and blank lines after it."""
    start = text.rfind("\n", 0, name.start_mark.index) + 1
    lines = text[start : node.end_mark.index].splitlines(keepends=True)
    while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    end = text.find("\n", start + sum(map(len, lines)) - 1)
    return start, len(text) if end < 0 else end + 1


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _yaml(value: str) -> str:
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = value
    if not isinstance(parsed, list | dict):
        parsed = value
    written = yaml.safe_dump(parsed, default_flow_style=True, width=10_000).strip()
    return written.removesuffix("\n...").strip()


def _file(target: Target) -> tuple[Path, str]:
    """Return the stack's settings file and its text, which is empty where there is none yet."""
    path = target.cwd / f"Pulumi.{target.stack_name}.yaml"
    if not path.is_file():
        return path, ""
    read_settings(path)
    return path, path.read_text()


def _full(target: Target, key: str) -> str:
    """A key without a namespace is in the project's own."""
    if ":" in key:
        return key
    project = target.cwd / "Pulumi.yaml"
    if not project.is_file():
        raise SandboxError(str(project), "there is no such project", "say where it is: --cwd")
    return f"{yaml.safe_load(project.read_text())['name']}:{key}"
