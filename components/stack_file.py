"""Reads what the package builder needs out of a stack's file, without Pulumi running."""

from __future__ import annotations

from pathlib import Path
from typing import Final, cast

import yaml

from components.dependencies import this_machine
from components.package import PackageTarget
from components.refusal import PackageRefused, Problem
from components.settings import ARCHITECTURES, PACKAGE_PLATFORMS, RUNTIMES

NAMESPACE: Final = "order-receiver"


def target_of_stack(root: Path, stack: str, config_file: Path | None) -> PackageTarget:
    """What a stack's Lambdas run on.

    Raises PackageRefused when there is no such stack, or it names what Lambda does not have.
    """
    path = config_file or root / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        raise PackageRefused(
            [
                Problem(
                    subject=f"stack {stack}",
                    finding=f"has no file {path.name}",
                    remedy="name a stack that has one: make package STACK=dev",
                )
            ]
        )
    document = cast("dict[str, dict[str, object]]", yaml.safe_load(path.read_text()) or {})
    values = document.get("config") or {}
    platform = _choice(values, "lambdaPlatform", PACKAGE_PLATFORMS, "lambda")
    runtime, architecture = this_machine() if platform == "native" else ("python3.13", "arm64")
    return PackageTarget(
        runtime=_choice(values, "lambdaRuntime", RUNTIMES, runtime),
        architecture=_choice(values, "lambdaArchitecture", ARCHITECTURES, architecture),
        platform=platform,
    )


def _choice(values: dict[str, object], key: str, choices: tuple[str, ...], default: str) -> str:
    value = values.get(f"{NAMESPACE}:{key}", default) or default
    if value not in choices:
        raise PackageRefused(
            [
                Problem(
                    subject=f"{NAMESPACE}:{key}",
                    finding=f"{value!r} is not one of {', '.join(choices)}",
                    remedy="choose one of them",
                )
            ]
        )
    return str(value)
