"""What this repository's own stack needs beside its program: its settings, package and proof."""

import json
import os
import platform as machine
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.cloud import Cloud
from sandbox.errors import SandboxError
from sandbox.home import ROOT, home, replace_text
from sandbox.platform import Platform

STACK: Final = "sandbox"
_NAMESPACE: Final = "order-receiver"
_ARCHITECTURES: Final = {"aarch64": "arm64", "AMD64": "x86_64"}


def effective_file(folder: Path) -> Path:
    """Return where the effective configuration stands."""
    return folder / "config" / f"Pulumi.{STACK}.yaml"


def write_effective(cloud: Cloud, platform: Platform) -> Path:
    """Write the stack's settings with this machine's facts; what the repository says counts more.

    The cloud runs Lambdas with this interpreter, so the package is built for it.
    """
    source = ROOT / f"Pulumi.{STACK}.yaml"
    settings = read_settings(source)
    facts = {
        "lambdaRuntime": f"python{sys.version_info.major}.{sys.version_info.minor}",
        "lambdaArchitecture": _ARCHITECTURES.get(machine.machine(), machine.machine()),
        "userPools": platform.user_pools(cloud),
    }
    config = {f"{_NAMESPACE}:{key}": value for key, value in facts.items()}
    text = yaml.safe_dump(
        settings | {"config": config | settings["config"]}, sort_keys=False, width=1000
    )
    target = effective_file(cloud.home)
    replace_text(target, f"# Made from {source.name} by every command. Edit that file.\n{text}")
    return target


def build_package() -> str:
    """Build the Lambda package as `make package` does; return the builder's line about it."""
    options = ("--stack", STACK, "--config-file", str(effective_file(home())))
    built = subprocess.run(
        [sys.executable, "-m", "components.package", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        raise SandboxError(
            "the Lambda package",
            "could not be built",
            "see below, mend it and run: make package",
            detail=(built.stderr or built.stdout).strip(),
        )
    return (built.stdout.strip().splitlines() or [""])[-1]


def about(cloud: Cloud, platform: Platform) -> dict[str, Any]:
    """Return what a client must know of the sandbox beside the stack's own outputs."""
    users = [
        {
            "name": user.name,
            "role": user.role,
            "userId": user.user_id,
            "businessId": user.business_id,
        }
        for user in platform.users
    ]
    return {"endpoint": cloud.endpoint, "region": cloud.region, "users": users}


def prove(cloud: Cloud, platform: Platform, outputs: Mapping[str, Any]) -> None:
    """Use the deployed stack as its apps do, by the command that does it on an account too.

    It gets what an operator gives it: the stack's outputs, and tokens in the environment.
    """
    tokens = {
        f"VERIFY_{role.upper()}_TOKEN": platform.token(cloud, f"{role}1")
        for role in ("merchant", "customer")
    }
    sys.stdout.flush()
    verified = subprocess.run(
        [sys.executable, "-m", "ops", "verify", "--outputs", "-"],
        cwd=ROOT,
        env=os.environ | tokens,
        input=json.dumps({**outputs, "sandbox": about(cloud, platform)}),
        text=True,
        check=False,
    )
    if verified.returncode:
        raise SandboxError(
            f"stack {STACK}",
            "it is deployed, and does not do what it promises",
            "see what the Lambdas said: .venv/bin/python -m sandbox logs",
        )


def read_settings(path: Path) -> dict[str, Any]:
    """Return what a `Pulumi.<stack>.yaml` says; its `config` is a mapping."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise SandboxError(str(path), f"cannot be read ({error})", "put the file back") from error
    except yaml.YAMLError as error:
        raise SandboxError(str(path), "is not YAML", "mend it", detail=str(error)) from error
    if not isinstance(content, dict) or not isinstance(content.get("config") or {}, dict):
        raise SandboxError(str(path), "has no `config:` mapping", "see Pulumi.dev.yaml for one")
    return content | {"config": content.get("config") or {}}
