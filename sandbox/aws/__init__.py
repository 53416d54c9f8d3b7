"""The sandbox's own `pulumi-resource-aws`: the types that programs here use, on its own cloud.

`python -m sandbox.aws` serves it as a plugin, `install` puts it into a PULUMI_HOME for the real
CLI, and `provider` gives the same provider as an object to an engine in the same process.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.aws.install import VERSION, install

if TYPE_CHECKING:
    from sandbox.aws.provider import AwsProvider

__all__ = ["VERSION", "install", "provider"]


def provider(environment: Mapping[str, str], *, cwd: Path | None = None) -> "AwsProvider":
    """Return a provider, not configured yet; relative paths of archives start from `cwd`.

    Only `AWS_ENDPOINT_URL` and `AWS_REGION` of the environment are read, and only by `configure`.
    """
    from sandbox.aws.provider import AwsProvider

    return AwsProvider(environment, cwd=cwd)
