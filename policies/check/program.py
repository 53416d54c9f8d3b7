"""Reading a Pulumi program: it is run twice, in preview and with values, and touches no cloud."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from policies import wire
from policies.check.subject import Subject, UncheckableError, mapping, read_text
from policies.kinds import kind_of
from policies.model import Registered, Resource
from policies.values import Props

TIMEOUT_SECONDS: Final = 300
_NOTES: Final = {True: "in preview", False: "with values"}


def subjects(folder: Path, stack: str | None, look_ups: Mapping[str, Any]) -> Iterator[Subject]:
    """Run the program and yield what it registers; raises `UncheckableError`."""
    folder = folder.resolve()
    project = _project(folder)
    main = folder / str(project.get("main") or ".")
    main = main if main.suffix == ".py" else main / "__main__.py"
    if not main.is_file():
        raise UncheckableError(f"{folder} holds no Pulumi program in Python ({main} is missing)")
    name = str(project.get("name") or folder.name)
    stack = stack or _only_stack(folder)
    config = configuration_of(folder, stack)
    for preview in (True, False):
        task = {
            "main": str(main),
            "project": name,
            "stack": stack,
            "preview": preview,
            "config": config,
            "look_ups": dict(look_ups),
        }
        yield Subject(
            file=main,
            what=f"program {folder.name}",
            registered=[_registered(entry) for entry in _run(task, _python(folder, project))],
            stack=stack,
            config=config,
            note=_NOTES[preview],
        )


def _run(task: dict[str, Any], python: str) -> list[dict[str, Any]]:
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch) / "registrations.json"
        command = [python, "-m", "policies.check.child"]
        try:
            done = subprocess.run(
                [*command, json.dumps(task | {"result": str(result)})],
                cwd=root,
                env=isolated_environment(os.environ),
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UncheckableError(f"the program ran for {TIMEOUT_SECONDS} seconds") from error
        if done.returncode != 0 or not result.is_file():
            note = _NOTES[task["preview"]]
            raise UncheckableError(f"the program failed {note}:\n{_tail(done.stderr)}")
        return json.loads(result.read_text(encoding="utf-8"))


def _python(folder: Path, project: Mapping[str, Any]) -> str:
    """Return the interpreter of the program's own virtual environment, where it has one."""
    options = mapping(mapping(project.get("runtime")).get("options"))
    python = folder / str(options.get("virtualenv") or "") / "bin" / "python"
    return str(python) if options.get("virtualenv") and python.is_file() else sys.executable


def isolated_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which no account can be reached, whatever the program tries."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith(("AWS_", "PULUMI_"))
    }
    return kept | {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }


def _tail(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(f"  {line}" for line in lines[-8:])


def _registered(entry: dict[str, Any]) -> Registered:
    inputs = wire.from_json(entry["inputs"])
    return Registered(
        resource=Resource(
            type=entry["type"],
            kind=kind_of(entry["type"]),
            name=entry["name"],
            urn=entry["urn"],
            props=Props(inputs if isinstance(inputs, dict) else {}),
        ),
        dependencies=entry["dependencies"],
        property_dependencies=entry["propertyDependencies"],
    )


def _yaml(file: Path) -> dict[str, Any]:
    import yaml

    if not file.is_file():
        return {}
    try:
        document: Any = yaml.safe_load(read_text(file))
    except yaml.YAMLError as error:
        raise UncheckableError(f"{file} is not YAML: {error}") from error
    return mapping(document)


def _only_stack(folder: Path) -> str:
    found = sorted(folder.glob("Pulumi.*.yaml"))
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise UncheckableError(f"which stack? say --stack (there are {names})")
    return found[0].name.removeprefix("Pulumi.").removesuffix(".yaml") if found else "dev"


def _project(folder: Path) -> dict[str, Any]:
    return _yaml(folder / "Pulumi.yaml")


def configuration_of(folder: Path, stack: str) -> dict[str, str]:
    """Return a stack's configuration as the program gets it: the project's defaults, then its own.

    Encrypted values read as a word; no rule needs to know them.
    """
    project = _project(folder)
    name = str(project.get("name") or folder.name)
    config: dict[str, str] = {}
    for key, declared in mapping(project.get("config")).items():
        settings = mapping(declared)
        value = settings.get("value", settings.get("default")) if settings else declared
        if value is not None:
            config[_qualified(key, name)] = _text(value)
    for key, value in mapping(_yaml(folder / f"Pulumi.{stack}.yaml").get("config")).items():
        config[_qualified(key, name)] = _text(value)
    return config


def _qualified(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _text(value: Any) -> str:
    if set(mapping(value)) == {"secure"}:
        return "secret"
    return value if isinstance(value, str) else json.dumps(value)
