"""A copy of the repository in which `make` is called as a person would call it."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.home import ROOT

_LEFT_OUT = shutil.ignore_patterns(
    ".git",
    ".venv",
    ".sandbox",
    "dist",
    "build",
    "reports",
    "__pycache__",
    ".*_cache",
    ".hypothesis",
)


@dataclass(frozen=True, kw_only=True)
class Clone:
    """A copy of the repository with its own sandbox and this one's virtual environment."""

    root: Path

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy; what it says is in the result, and in the test's output."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=_environment() | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        sys.stdout.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}")
        return done

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command in the copy; its standard output is read from here."""
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

    def make(self, *targets: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `make` with these targets."""
        return self.run("make", "--no-print-directory", *targets, **variables)

    def sandbox(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m sandbox` with these arguments."""
        return self.run(".venv/bin/python", "-m", "sandbox", *arguments, **variables)

    def outputs(self) -> dict:
        """Return what `make outputs` prints on standard output, which must be one JSON object."""
        done = self.make("outputs")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def processes(self) -> list[str]:
        """Return the processes that run from this copy or on its sandbox."""
        listed = subprocess.run(
            ["ps", "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        return [line for line in listed if str(self.root) in line]


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy in which nothing runs yet; whatever a test leaves running is stopped."""
    root = tmp_path_factory.mktemp("clone") / "repository"
    shutil.copytree(ROOT, root, ignore=_LEFT_OUT)
    root.joinpath(".venv").symlink_to(ROOT / ".venv")
    root.joinpath("dist").mkdir()
    for built in ROOT.glob("dist/dependencies-*.zip"):  # spares the download, where there was one
        shutil.copy2(built, root / "dist")
    copy = Clone(root=root)
    yield copy
    copy.sandbox("down", "--yes")
    assert copy.processes() == []


def _environment() -> dict[str, str]:
    """What a newcomer's shell has: nothing of this test run, and an account to leave alone."""
    dropped = ("SANDBOX_", "AWS_", "PULUMI_", "PYTEST_", "ENGINE", "PYTHONPATH", "MAKE", "MFLAGS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {
        "ENGINE": "builtin",
        "AWS_ACCESS_KEY_ID": "AKIAREALLYREAL",
        "AWS_SECRET_ACCESS_KEY": "not to be used",
        "AWS_PROFILE": "production",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "NO_PROXY": "",
        "no_proxy": "",
    }
