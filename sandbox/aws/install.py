"""Puts the provider where the real Pulumi CLI looks for `pulumi-resource-aws`."""

import shlex
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

VERSION: Final = version("pulumi-aws")
"""The SDK asks for a plugin of its own version, so the provider carries that one."""

_PROJECT: Final = Path(__file__).resolve().parents[2]


def install(pulumi_home: Path) -> Path:
    """Write the plugin's folder into a PULUMI_HOME and return it; repeating it changes nothing.

    The plugin is a script that starts this interpreter with this project on its path, so that what
    the CLI runs is always the code that stands here.
    """
    folder = pulumi_home / "plugins" / f"resource-aws-v{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "pulumi-resource-aws"
    text = (
        "#!/bin/sh\n"
        "# Starts the sandbox's AWS provider; written by sandbox/aws/install.py.\n"
        f"PYTHONPATH={shlex.quote(str(_PROJECT))} exec {shlex.quote(sys.executable)} "
        '-m sandbox.aws "$@"\n'
    )
    if not script.exists() or script.read_text() != text:
        fresh = folder / ".pulumi-resource-aws"
        fresh.write_text(text)
        fresh.chmod(0o755)
        fresh.replace(script)
    return folder
