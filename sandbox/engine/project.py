"""The project and its stack's configuration, read as the Pulumi CLI reads them."""

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.engine import values
from sandbox.engine.secrets import Crypter, passphrase
from sandbox.stack import EngineError, Stack


@dataclass(frozen=True, kw_only=True)
class Project:
    """A program ready to run: `config` maps `namespace:key` to text, objects and lists as JSON.

    `environment` is all that the program, the providers and the packs see of the caller's.
    """

    name: str
    stack: str
    root: Path
    program: Path
    environment: Mapping[str, str]
    config: Mapping[str, str]
    secret_keys: frozenset[str]
    crypter: Crypter


def surroundings(extra: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with no `AWS_*` variable of the caller's, and `extra`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PULUMI_"))}
    return {**kept, **extra}


def find_root(folder: Path) -> Path:
    """Return the folder of the project that a folder belongs to."""
    folder = folder.resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / "Pulumi.yaml").is_file():
            return candidate
    raise EngineError(f"no Pulumi.yaml in {folder} or above it")


def load_project(stack: Stack) -> Project:
    """Read `Pulumi.yaml` and the stack's configuration; raise `EngineError` for what is wrong."""
    root = find_root(stack.cwd)
    described, _ = read_python(root / "Pulumi.yaml")
    name = described.get("name")
    if not isinstance(name, str):
        raise EngineError(f"{root / 'Pulumi.yaml'}: needs a name, has {name!r}")
    file = stack.config_file or root / f"Pulumi.{stack.name}.yaml"
    if stack.config_file and not file.is_file():
        raise EngineError(f"the configuration file {file} does not exist")
    settings = read(file) if file.is_file() else {}
    crypter = Crypter(passphrase(stack.home), settings.get("encryptionsalt"))
    given = _config(settings, name, file)
    schema = _config(described, name, root / "Pulumi.yaml")
    config: dict[str, str] = {}
    secret_keys: set[str] = set()
    missing: list[str] = []
    for key in {**schema, **given}:
        entry = schema.get(key)
        # Pulumi.yaml gives a default, a value, a bare scalar, or nothing but a type.
        default = entry.get("value", entry.get("default")) if isinstance(entry, dict) else entry
        value = given.get(key, default)
        if value is not None:
            plain = _decrypt(value, crypter)
            _verify(key, plain, entry, stack.name)
            config[key] = _text(plain)
            secret_keys.update({key} if plain != value else ())
        elif isinstance(entry, dict) and "type" in entry and key.startswith(f"{name}:"):
            missing.append(key)
    if missing:
        raise EngineError(
            f"stack {stack.name!r} is missing configuration values, set them in {file}: "
            + ", ".join(sorted(missing))
        )
    return Project(
        name=name,
        stack=stack.name,
        root=root,
        program=root / described.get("main", "."),
        environment=surroundings(stack.environment),
        config=config,
        secret_keys=frozenset(secret_keys),
        crypter=crypter,
    )


def read(path: Path, parse: Callable[[str], Any] = yaml.safe_load) -> dict[str, Any]:
    """Read a file that holds a mapping; raise `EngineError` for any other."""
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise EngineError(f"{path} cannot be read: {error}") from error
    return mapping({} if content is None else content, str(path))


def read_python(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the description of a project or a pack, in Python; return also its runtime's options."""
    described = read(path)
    runtime = described.get("runtime")
    runtime = runtime if isinstance(runtime, dict) else {"name": runtime}
    if runtime.get("name") != "python":
        raise EngineError(f"{path}: runtime must be python, is {runtime.get('name')!r}")
    return described, runtime.get("options") or {}


def _config(content: Mapping[str, Any], project: str, path: Path) -> dict[str, Any]:
    config = mapping(content.get("config") or {}, f"{path}: `config`")
    return {str(k) if ":" in str(k) else f"{project}:{k}": v for k, v in config.items()}


def mapping(content: Any, what: str) -> dict[str, Any]:
    """Return a mapping as it is; raise `EngineError` for what is none."""
    if not isinstance(content, dict):
        raise EngineError(f"{what} holds a {type(content).__name__}, not a mapping")
    return content


def _decrypt(value: Any, crypter: Crypter) -> Any:
    """Return a value with every encrypted part of it in clear."""

    def change(part: Any) -> Any:
        encrypted = isinstance(part, dict) and set(part) == {"secure"}
        return crypter.decrypt(part["secure"]) if encrypted else part

    return values.transform(value, change)


def _verify(key: str, value: Any, entry: Any, stack: str) -> None:
    wanted = entry.get("type") if isinstance(entry, dict) else None
    if wanted is None:
        return
    if wanted not in {"string", "boolean", "integer", "array", "object"}:
        raise EngineError(f"Pulumi.yaml: {key} has the unknown type {wanted!r}")
    if isinstance(value, str) and wanted != "string":
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    is_text = wanted == "string" and isinstance(value, str | int | float)
    if not (is_text or values.is_of_type(value, wanted)):
        raise EngineError(
            f"stack {stack!r}: configuration key {key!r} must be of type {wanted!r}, has {value!r}"
        )
    for index, item in enumerate(value if isinstance(value, list) else ()):
        _verify(f"{key}[{index}]", item, entry.get("items"), stack)


def _text(value: Any) -> str:
    if isinstance(value, bool | dict | list):
        return json.dumps(value, separators=(",", ":"))
    return str(value)
