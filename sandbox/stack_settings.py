"""Changing one key in the text of a Pulumi.<stack>.yaml, its comments and the rest untouched."""

import json
import re

import yaml


def changed(text: str, key: str, value: str | None) -> str:
    """Return the file's text with `key` set to `value`, or without it.

    A value that is a JSON list or object is written as one; everything else is written so that it
    is read as the CLI reads it, `"true"` and `"12"` as text.
    """
    lines = text.splitlines()
    start = next(
        (i for i, line in enumerate(lines) if re.match(r"config:\s*(#.*|\{\})?$", line)), None
    )
    if start is None:
        if value is None:
            return text
        lines += ["config:"]
        start = len(lines) - 1
    lines[start] = "config:"
    end = _end_of_block(lines, start)
    at = next((i for i in range(start + 1, end) if _is_key(lines[i], key)), None)
    entry = [] if value is None else [f"  {key}: {_yaml(value)}"]
    if at is None:
        lines[end:end] = entry
    else:
        lines[at : _end_of_value(lines, at, end)] = entry
    return "\n".join(lines) + "\n"


def _is_key(line: str, key: str) -> bool:
    return re.match(rf"""  (['"]?){re.escape(key)}\1:(\s|$)""", line) is not None


def _end_of_block(lines: list[str], start: int) -> int:
    """The mapping ends with its last indented line, before blank lines and comments."""
    end = start + 1
    for i in range(start + 1, len(lines)):
        if lines[i] and not lines[i].startswith((" ", "#")):
            break
        if lines[i].startswith(" "):
            end = i + 1
    return end


def _end_of_value(lines: list[str], at: int, end: int) -> int:
    """A value goes on over deeper lines, and over a list that stands at its key's own depth."""
    following = at + 1
    while following < end and re.match(r"   |  -(\s|$)", lines[following]):
        following += 1
    return following


def _yaml(value: str) -> str:
    try:
        parsed = json.loads(value)
    except ValueError:
        parsed = value
    if not isinstance(parsed, list | dict):
        parsed = value
    written = yaml.safe_dump(parsed, default_flow_style=True, width=10_000).strip()
    return written.removesuffix("\n...").strip()
