"""The effective configuration of this repository's stack: its file and this machine's facts."""

import os
import platform as machine
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.cloud import Cloud
from sandbox.errors import SandboxError
from sandbox.home import ROOT
from sandbox.platform import Platform

STACK: Final = "sandbox"
_NAMESPACE: Final = "order-receiver"
_ARCHITECTURES: Final = {
    "aarch64": "arm64",
    "arm64": "arm64",
    "x86_64": "x86_64",
    "AMD64": "x86_64",
}


def effective_file(home: Path) -> Path:
    """Return where the effective configuration stands."""
    return home / "config" / f"Pulumi.{STACK}.yaml"


def write_effective(cloud: Cloud, platform: Platform) -> Path:
    """Write the effective configuration; what the repository's file says counts more."""
    source = ROOT / f"Pulumi.{STACK}.yaml"
    settings = _read(source)
    config: dict[str, Any] = settings.get("config") or {}
    for key, value in {**_machine(), "userPools": platform.user_pools(cloud)}.items():
        config.setdefault(f"{_NAMESPACE}:{key}", value)
    settings["config"] = config
    target = effective_file(cloud.home)
    target.parent.mkdir(parents=True, exist_ok=True)
    text = f"# Made from {source.name} by every command. Edit that file.\n" + yaml.safe_dump(
        settings, sort_keys=False, width=1000
    )
    draft = target.with_suffix(f".{os.getpid()}")
    draft.write_text(text)
    draft.replace(target)
    return target


def _machine() -> dict[str, str]:
    """The cloud runs Lambdas with this interpreter, so the package is built for it."""
    return {
        "lambdaRuntime": f"python{sys.version_info.major}.{sys.version_info.minor}",
        "lambdaArchitecture": _ARCHITECTURES.get(machine.machine(), machine.machine()),
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise SandboxError(str(path), f"cannot be read ({error})", "put the file back") from error
    except yaml.YAMLError as error:
        raise SandboxError(str(path), "is not YAML", "mend it", detail=str(error)) from error
    if not isinstance(content, dict) or not isinstance(content.get("config") or {}, dict):
        raise SandboxError(str(path), "has no `config:` mapping", "see Pulumi.dev.yaml for one")
    return content
