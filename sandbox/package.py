"""Building this repository's Lambda package, as `make package` does."""

import subprocess
import sys

from sandbox.configuration import STACK, effective_file
from sandbox.errors import SandboxError
from sandbox.home import ROOT, home


class PackageError(SandboxError):
    """The package could not be built; the builder's own words are the detail."""


def build() -> str:
    """Build the package when the sources changed; return the builder's line about it."""
    built = subprocess.run(
        [
            *(sys.executable, "-m", "components.package", "--stack", STACK),
            *("--config-file", str(effective_file(home()))),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        raise PackageError(
            "the Lambda package",
            "could not be built",
            "see below, mend it and run: make package",
            detail=(built.stderr or built.stdout).strip(),
        )
    return built.stdout.strip().splitlines()[-1] if built.stdout.strip() else ""
