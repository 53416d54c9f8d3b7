"""What a program, the provider and the packs see of the machine that they run on."""

import os
from collections.abc import Mapping

from sandbox.cloud import Cloud


def program_environment(cloud: Cloud) -> dict[str, str]:
    """Return the variables to set for whatever is to talk to the cloud.

    They stand in place of every `AWS_*` variable of the surroundings. Loopback is kept from
    proxies, of which the AWS SDK and gRPC both read the variables.
    """
    direct = ",".join(filter(None, ("127.0.0.1,localhost", os.environ.get("NO_PROXY"))))
    return {**cloud.environment(), "NO_PROXY": direct, "no_proxy": direct}


def shed_surroundings(environment: Mapping[str, str]) -> None:
    """Rid this very process of accounts, profiles and proxies: its children inherit nothing."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(environment)
