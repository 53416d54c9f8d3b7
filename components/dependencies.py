"""Installs the Lambdas' pinned dependencies for the platform that they are going to run on."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path
from typing import Final

from components.refusal import PackageRefused, Problem

# Lambda's Python 3.11 runs on Amazon Linux 2 (glibc 2.26), later ones on Amazon Linux 2023 (2.34).
GLIBC_MINOR: Final = {"python3.11": 26}
GLIBC_MINOR_LATER: Final = 34
OLDEST_GLIBC_MINOR: Final = 17
"""manylinux2014, the oldest that wheels for arm64 exist for."""
MACHINES: Final = {"arm64": "aarch64", "x86_64": "x86_64"}
PIP_TIMEOUT: Final = 600
"""Seconds."""
# Installer's notes (they differ from run to run), scripts, stubs, and the web page assets of an API
# documentation that no Lambda of ours serves.
LEFT_OUT_NAMES: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "py.typed")
LEFT_OUT_SUFFIXES: Final = (".pyc", ".pyi", ".c", ".h", ".pxd", ".pyx")
LEFT_OUT_FOLDERS: Final = ("__pycache__", "bin", "swagger_ui", "sboms")


def install(
    requirements: Path, directory: Path, *, runtime: str, architecture: str, native: bool
) -> None:
    """Install the pins of a requirements file into a directory.

    Raises PackageRefused, with what pip said, when it cannot.
    """
    command = [
        sys.executable,
        *("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--target", str(directory), "--requirement", str(requirements)),
        *("--only-binary=:all:", "--require-hashes", "--no-deps", "--no-compile", "--retries", "2"),
    ]
    if native:
        _refuse_another_interpreter(runtime)
    else:
        command += ["--implementation", "cp", "--python-version", runtime.removeprefix("python")]
        for tag in wheel_platforms(runtime, architecture):
            command += ["--platform", tag]
    done = subprocess.run(  # the list is ours
        command, capture_output=True, text=True, check=False, timeout=PIP_TIMEOUT
    )
    if done.returncode != 0:
        raise PackageRefused([_explain(done.stderr, runtime, architecture)])


def wheel_platforms(runtime: str, architecture: str) -> list[str]:
    """The wheel tags that a Lambda runtime can load, newest first (PEP 600)."""
    newest = GLIBC_MINOR.get(runtime, GLIBC_MINOR_LATER)
    machine = MACHINES[architecture]
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, OLDEST_GLIBC_MINOR - 1, -1)]
    return [*tags, f"manylinux2014_{machine}"]


def packed_files(directory: Path) -> list[Path]:
    """The files that a Lambda needs of what pip installed, in an order that never changes."""
    return sorted(
        path
        for path in directory.rglob("*")
        if path.is_file()
        and path.name not in LEFT_OUT_NAMES
        and path.suffix not in LEFT_OUT_SUFFIXES
        and not set(LEFT_OUT_FOLDERS).intersection(path.relative_to(directory).parts)
    )


def this_machine() -> tuple[str, str]:
    """Runtime and architecture of this interpreter, in Lambda's words."""
    arm = platform.machine().lower() in {"arm64", "aarch64"}
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return runtime, "arm64" if arm else "x86_64"


def _refuse_another_interpreter(runtime: str) -> None:
    here, _ = this_machine()
    if runtime != here:
        raise PackageRefused(
            [
                Problem(
                    subject="order-receiver:lambdaRuntime",
                    finding=f"{runtime!r} cannot be packed natively by {here}",
                    remedy=f"set it to {here}, or leave lambdaPlatform out",
                )
            ]
        )


def _explain(output: str, runtime: str, architecture: str) -> Problem:
    errors = [line for line in output.splitlines() if line.startswith("ERROR:")]
    said = " ".join(errors[-2:]) or output.strip()[-500:] or "pip gave no reason"
    unreachable = ("No matching distribution", "Could not find a version", "Connection", "Retry")
    if any(word in output for word in unreachable):
        remedy = (
            "see that the Python package index can be reached (pip config list shows which one is "
            f"used) and that it has wheels for {runtime} on {architecture}; then run it again"
        )
    else:
        remedy = "mend what pip says, then run it again"
    return Problem(
        subject=f"dependencies for {runtime} on {architecture}",
        finding=f"could not be installed: {said}",
        remedy=remedy,
    )
